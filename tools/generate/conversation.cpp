#include "tools/generate/conversation.h"

#include <nlohmann/json.hpp>

#include "models/text/json_text.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

using nlohmann::json;

std::vector<ChatMessage> messages_of(const json& all, const std::string& file) {
  if (!all.is_object() || !all.contains("messages") || !all.at("messages").is_array())
    throw Error(file + ": is not a conversation: an object with a list \"messages\" is needed");
  std::vector<ChatMessage> out;
  for (const json& m : all.at("messages")) {
    const auto has_text = [&](const char* key) { return m.contains(key) && m.at(key).is_string(); };
    if (!m.is_object() || !has_text("role") || !has_text("content")) {
      throw Error(file + ": message " + std::to_string(out.size() + 1) +
                  " needs a \"role\" and a \"content\", both strings");
    }
    out.push_back({m.at("role").get<std::string>(), m.at("content").get<std::string>()});
  }
  return out;
}

}  // namespace

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

void Conversation::save(const std::string& file) const {
  json all = json::array();
  for (const ChatMessage& m : messages_) all.push_back({{"role", m.role}, {"content", m.content}});
  write_file(file, json{{"messages", all}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

void Conversation::load(const std::string& file) {
  try {
    messages_ = messages_of(read_json(file), file);
  } catch (const json::exception& e) {
    throw Error(file + ": " + e.what());
  }
}

}  // namespace lmc
