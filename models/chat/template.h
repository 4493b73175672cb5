// A chat template: how a model wants a conversation written, in Jinja, as Hugging Face checkpoints bring it.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lmc {

struct ChatMessage {
  std::string role, content;  // "system", "user", "assistant"
};

// A template as a checkpoint brings it, not yet read.
struct ChatTemplateText {
  std::string source, bos_token, eos_token;
  std::string file;  // for messages
};

// chat_template.jinja of the folder, else tokenizer_config.json's chat_template (the one named "default" of
// several), with tokenizer_config.json's bos_token and eos_token. Nullopt if there is none. Throws Error
// naming the file.
std::optional<ChatTemplateText> find_chat_template(const std::string& folder);
// The tokenizer_config.json that find_chat_template() reads the two tokens from.
std::string chat_tokens_json(const ChatTemplateText& text);

class ChatTemplate {
 public:
  // Throws Error naming file and line.
  explicit ChatTemplate(const ChatTemplateText& text);

  // What the template may look at beside the conversation, by name: {"enable_thinking": false}. Error for
  // what is no object, and for names that have a meaning of their own (messages, …).
  void set_variables(const nlohmann::ordered_json& variables);
  static void check_variables(const nlohmann::ordered_json& variables);

  // The conversation as text; with `answer_next`, up to where the assistant's answer begins. Throws Error,
  // with the line, for what the template refuses (raise_exception) or cannot compute.
  std::string render(const std::vector<ChatMessage>& messages, bool answer_next) const;
  // The same of messages with whatever keys the template looks at (tool_calls, name, …), and of the tools
  // that the model may call (null: none).
  std::string render(const nlohmann::ordered_json& messages, const nlohmann::ordered_json& tools,
                     bool answer_next) const;

 private:
  struct Program;
  struct Variables;
  std::string bos_token_, eos_token_;
  std::shared_ptr<const Program> program_;
  std::shared_ptr<const Variables> variables_;  // null: none
};

}  // namespace lmc
