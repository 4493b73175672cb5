// Texts in the making for one request: from the batcher's thread to what the client reads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tools/serve/service.h"

namespace lmc::serve {

// One text, as far as it has come.
struct Choice {
  size_t index = 0, prompt = 0;  // which of the prompts
  int64_t prompt_tokens = 0, reused_tokens = 0;
  std::string text;
  std::vector<TokenChoice> tokens;  // chosen, the one that ended it included
  bool ended = false, stop_string = false;
  Generated generated;
  // "stop" or "length", as OpenAI has it.
  std::string finish_reason() const;
};

// What a route makes of them. All is called by the thread of the network.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  // The answer as one.
  virtual Json whole(std::span<const Choice> choices) = 0;
  // The answer as a stream: in pieces of text, none of which is empty unless `tokens` is not.
  virtual std::string begin() { return ""; }
  virtual std::string piece(const Choice& choice, const std::string& text,
                            std::span<const TokenChoice> tokens) = 0;
  virtual std::string ended(const Choice& choice) = 0;
  virtual std::string last(std::span<const Choice> choices) = 0;
  virtual std::string failed(const RequestError& e) = 0;
  virtual const char* stream_type() const { return "text/event-stream"; }
};

struct AnswerPlan {
  std::vector<std::vector<int32_t>> prompts;  // each answered Asked::n times
  bool skip_special = true;                   // tokens such as <eos>; not those that mark calls of tools
};

// RequestError for what cannot be asked, and where the server is full.
void answer(Service& service, Call& call, AnswerPlan plan, std::unique_ptr<AnswerWriter> writer);

// What most streams are made of.
std::string server_event(const Json& data);

// A prompt's ids, as a text or as ids, and lists of these, of so many at most. RequestError naming the field
// for anything else.
std::vector<std::vector<int32_t>> prompts_of(const Service& service, const Json& prompt, int64_t most,
                                             const std::string& field = "prompt");
// RequestError naming the field for a prompt that is empty or longer than the context.
void check_prompt(Service& service, std::span<const int32_t> prompt, const std::string& field);

}  // namespace lmc::serve
