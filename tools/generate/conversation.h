// A conversation with a model: messages, the model's chat template, and what of it lies in the KV cache.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/generate/engine.h"
#include "tools/generate/generation.h"
#include "tools/generate/template_variables.h"

namespace lmc {

class Conversation {
 public:
  // All must outlive it; what changes in `flags` and `variables` holds from the next question on. Error if
  // the bundle has no tokenizer or no usable chat template. An empty `system` is no message.
  Conversation(Engine& engine, const GenerationFlags& flags, const TemplateVariables& variables,
               std::string system);

  // The model's answer to `text`, handed out as it comes; it becomes part of the conversation, as far as it
  // came where it was interrupted. After an Error the conversation is what it was before.
  //
  // A conversation that would leave too little room for the answer loses its oldest questions and answers,
  // not the system message, until it takes half of the context: what the model then reads, and every bit of
  // what it says, is that of a new conversation that begins later. (Moving what the KV cache holds instead
  // would cost less, and give results that no fresh start gives.)
  Answer ask(const std::string& text, const std::function<void(const std::string&)>& show);
  // The last question again, in place of its answer. Error, and nothing changed, if there is none.
  Answer retry(const std::function<void(const std::string&)>& show);
  // The last question and what follows it are as if they had never been said. Error if there is none.
  void undo();
  void set_system(const std::string& text);  // "": no such message
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
  // Of the messages, those that the last question was asked without.
  size_t left_out() const { return left_out_; }

 private:
  std::string take_question();
  bool leave_out_more(const std::vector<ChatMessage>& all);
  std::vector<int32_t> encoded(const std::vector<ChatMessage>& all) const;
  std::vector<int32_t> fitting(const std::vector<ChatMessage>& all);

  Engine& engine_;
  const GenerationFlags& flags_;
  const TemplateVariables& variables_;
  ChatTemplate template_;
  std::string system_;
  std::vector<ChatMessage> messages_;
  size_t left_out_ = 0;
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0;
};

}  // namespace lmc
