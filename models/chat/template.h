// A chat template: how a model wants a conversation written, in Jinja, as Hugging Face checkpoints bring it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lmc {

struct ChatMessage {
  std::string role, content;  // "system", "user", "assistant"
};

class ChatTemplate {
 public:
  // Throws Error naming `file` and line.
  ChatTemplate(const std::string& source, const std::string& file);

  std::string bos_token, eos_token;

  // The conversation as text; with `answer_next`, up to where the assistant's answer begins. Throws Error,
  // with the line, for what the template refuses (raise_exception) or cannot compute.
  std::string render(const std::vector<ChatMessage>& messages, bool answer_next) const;
  const std::string& source() const { return source_; }

 private:
  struct Program;
  std::string source_;
  std::shared_ptr<const Program> program_;
};

// chat_template.jinja of the folder, else tokenizer_config.json's chat_template (the one named "default" of
// several), with its bos_token and eos_token. Nullopt if there is none. Throws Error naming the file.
std::optional<ChatTemplate> read_chat_template(const std::string& folder);

}  // namespace lmc
