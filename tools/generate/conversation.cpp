#include "tools/generate/conversation.h"

#include <algorithm>
#include <iterator>

#include "tools/generate/conversation_file.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

// The system message is never left out.
size_t first_turn(const std::vector<ChatMessage>& messages) {
  return messages.empty() || messages[0].role != "system" ? 0 : 1;
}

bool is_question(const ChatMessage& m) { return m.role == "user"; }

}  // namespace

Conversation::Conversation(Engine& engine, const GenerationFlags& flags, const TemplateVariables& variables,
                           std::string system)
    : engine_(engine),
      flags_(flags),
      variables_(variables),
      template_(engine.chat_template()),
      system_(std::move(system)) {
  clear();
}

void Conversation::clear() {
  messages_.clear();
  left_out_ = 0;
  if (!system_.empty()) messages_.push_back({"system", system_});
}

void Conversation::set_system(const std::string& text) {
  system_ = text;
  if (first_turn(messages_) > 0) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), {"system", text});
}

Answer Conversation::ask(const std::string& text, const std::function<void(const std::string&)>& show) {
  std::vector<ChatMessage> all = messages_;
  all.push_back({"user", text});
  const size_t left_out = left_out_;
  try {
    const std::vector<int32_t> prompt = fitting(all);
    if (prompt.empty()) throw Error("the chat template makes no text of this conversation");
    prompt_tokens_ = static_cast<int64_t>(prompt.size());
    cached_tokens_ = engine_.session().keep_prefix(prompt);
    const auto fresh = std::span(prompt).subspan(static_cast<size_t>(cached_tokens_));
    Answer out = answer(engine_, fresh, flags_, true, show);
    all.push_back({"assistant", out.text});
    messages_ = std::move(all);
    return out;
  } catch (...) {
    left_out_ = left_out;
    throw;
  }
}

Answer Conversation::retry(const std::function<void(const std::string&)>& show) {
  const std::vector<ChatMessage> before = messages_;
  const size_t left_out = left_out_;
  try {
    return ask(take_question(), show);
  } catch (...) {
    messages_ = before;
    left_out_ = left_out;
    throw;
  }
}

void Conversation::undo() { take_question(); }

std::string Conversation::take_question() {
  const auto last = std::find_if(messages_.rbegin(), messages_.rend(), is_question);
  if (last == messages_.rend()) throw Error("nothing has been asked yet");
  std::string out = last->content;
  messages_.erase(std::prev(last.base()), messages_.end());
  left_out_ = std::min(left_out_, messages_.size() - first_turn(messages_));
  return out;
}

std::vector<int32_t> Conversation::encoded(const std::vector<ChatMessage>& all) const {
  const auto turns = all.begin() + static_cast<ptrdiff_t>(first_turn(all));
  std::vector<ChatMessage> read(all.begin(), turns);
  read.insert(read.end(), turns + static_cast<ptrdiff_t>(left_out_), all.end());
  ChatTemplate chat_template = template_;
  variables_.apply(chat_template);
  return engine_.tokenizer().encode(chat_template.render(read, true), false);
}

// What is asked, with as much before it as leaves room for an answer.
std::vector<int32_t> Conversation::fitting(const std::vector<ChatMessage>& all) {
  const int64_t context = engine_.session().context();
  const int64_t most = flags_.generate.max_tokens;
  const int64_t room = most < 0 ? context / 4 : std::min(most, context / 4);
  std::vector<int32_t> out = encoded(all);
  const auto size = [&] { return static_cast<int64_t>(out.size()); };
  if (size() + room <= context) return out;
  while (size() > context / 2 && leave_out_more(all)) out = encoded(all);
  return out;
}

// Up to the next question; not the last one, which is being asked.
bool Conversation::leave_out_more(const std::vector<ChatMessage>& all) {
  const auto turns = all.begin() + static_cast<ptrdiff_t>(first_turn(all));
  const auto now = turns + static_cast<ptrdiff_t>(left_out_);
  if (now == all.end()) return false;
  const auto next = std::find_if(std::next(now), all.end(), is_question);
  if (next == all.end()) return false;
  left_out_ = static_cast<size_t>(next - turns);
  return true;
}

void Conversation::save(const std::string& file) const { write_file(file, conversation_text(messages_)); }

void Conversation::load(const std::string& file) {
  messages_ = read_conversation(file);
  left_out_ = 0;
}

}  // namespace lmc
