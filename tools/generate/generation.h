// What `lmc run` and `lmc chat` share: the flags of a generation, and text as it comes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/generate.h"
#include "tools/cli/flags.h"
#include "tools/generate/engine.h"
#include "tools/generate/speculation.h"
#include "tools/generate/text_grammar.h"

namespace lmc {

struct GenerationFlags {
  GenerateOptions generate;
  std::vector<std::string> stops, biases;
  GrammarFlags grammar;
  std::string allowed_ids;  // a file, for Engine::allow_only; "": all may be chosen
  SpeculationFlags speculation;
  bool ignore_eos = false;

  void add_to(Flags& flags);
  // Checked: UsageError for flags that make no sense, before anything is loaded. Who guesses is not in it.
  GenerateOptions options() const;
};

// Before the first answer: what --allowed-ids and the flags of a grammar say. Error, before anything is
// loaded, where that cannot be read.
class Restrictions {
 public:
  explicit Restrictions(const GenerationFlags& flags);
  void apply(Engine& engine) const;

 private:
  const GenerationFlags& flags_;
  std::optional<grammar::Grammar> grammar_;
};

// As generate(), handing out text: whole characters, up to the first stop string. Returns what it handed out.
// Without a tokenizer the text is the ids, each with a space behind it. Ids that end a text show nothing if
// `hide_stop_ids`.
struct Answer {
  Generated generated;
  std::string text;
  bool stop_string = false;
};
Answer answer(Engine& engine, std::span<const int32_t> prompt, const GenerationFlags& flags,
              bool hide_stop_ids, const std::function<void(const std::string&)>& show);

// The same for many prompts in batched steps, as generate_batch(): `done` gets each one's answer in the order
// of the prompts, as soon as it and all before it have ended. False if interrupted.
bool answer_all(Engine& engine, std::span<const std::vector<int32_t>> prompts, const GenerationFlags& flags,
                bool hide_stop_ids, int64_t slots,
                const std::function<void(size_t prompt, const Answer&)>& done);

}  // namespace lmc
