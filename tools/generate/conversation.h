// A conversation with a model: messages, the model's chat template, and what of it lies in the KV cache.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/generate/engine.h"
#include "tools/generate/generation.h"

namespace lmc {

class Conversation {
 public:
  // Both must outlive it. Error if the bundle has no tokenizer or no usable chat template. An empty `system`
  // is no message.
  Conversation(Engine& engine, const GenerationFlags& flags, std::string system);

  // The model's answer to `text`, handed out as it comes; it becomes part of the conversation, as far as it
  // came where it was interrupted. After an Error the conversation is what it was before.
  Answer ask(const std::string& text, const std::function<void(const std::string&)>& show);
  // All but the system message is forgotten.
  void clear();

  // As JSON, {"messages":[{"role":"user","content":"…"},…]}. Error naming the file; a failed load changes
  // nothing.
  void save(const std::string& file) const;
  void load(const std::string& file);

  const std::vector<ChatMessage>& messages() const { return messages_; }
  // Tokens of the last question's conversation, and how many of them were in the KV cache already.
  int64_t prompt_tokens() const { return prompt_tokens_; }
  int64_t cached_tokens() const { return cached_tokens_; }

 private:
  Engine& engine_;
  const GenerationFlags& flags_;
  ChatTemplate template_;
  std::string system_;
  std::vector<ChatMessage> messages_;
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0;
};

}  // namespace lmc
