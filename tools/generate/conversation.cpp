#include "tools/generate/conversation.h"

#include "tools/generate/conversation_file.h"
#include "tools/system/files.h"

namespace lmc {
Conversation::Conversation(Engine& engine, const GenerationFlags& flags, std::string system)
    : engine_(engine), flags_(flags), template_(engine.chat_template()), system_(std::move(system)) {
  clear();
}

void Conversation::clear() {
  messages_.clear();
  if (!system_.empty()) messages_.push_back({"system", system_});
}

Answer Conversation::ask(const std::string& text, const std::function<void(const std::string&)>& show) {
  std::vector<ChatMessage> all = messages_;
  all.push_back({"user", text});
  const std::vector<int32_t> prompt = engine_.tokenizer().encode(template_.render(all, true), false);
  if (prompt.empty()) throw Error("the chat template makes no text of this conversation");
  prompt_tokens_ = static_cast<int64_t>(prompt.size());
  cached_tokens_ = engine_.session().keep_prefix(prompt);
  const auto fresh = std::span(prompt).subspan(static_cast<size_t>(cached_tokens_));
  Answer out = answer(engine_, fresh, flags_, true, show);
  all.push_back({"assistant", out.text});
  messages_ = std::move(all);
  return out;
}

void Conversation::save(const std::string& file) const { write_file(file, conversation_text(messages_)); }

void Conversation::load(const std::string& file) { messages_ = read_conversation(file); }

}  // namespace lmc
