#include "tools/generate/conversation_file.h"

#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/text/json_text.h"

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

std::string conversation_text(const std::vector<ChatMessage>& messages) {
  json all = json::array();
  for (const ChatMessage& m : messages) all.push_back({{"role", m.role}, {"content", m.content}});
  return json{{"messages", all}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::vector<ChatMessage> read_conversation(const std::string& file) {
  try {
    return messages_of(read_json(file), file);
  } catch (const json::exception& e) {
    throw Error(file + ": " + e.what());
  }
}

}  // namespace lmc
