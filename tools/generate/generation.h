// What `lmc run` and `lmc chat` share: the flags of a generation, and text as it comes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/generate.h"
#include "runtime/generate_batch.h"
#include "tools/cli/flags.h"
#include "tools/generate/engine.h"
#include "tools/generate/sampling_flags.h"
#include "tools/generate/speculation.h"
#include "tools/generate/text_grammar.h"

namespace lmc {

struct GenerationFlags {
  GenerateOptions generate;
  SamplingFlags sampling;
  std::vector<std::string> stops;
  GrammarFlags grammar;
  std::string allowed_ids;  // a file, for Engine::allow_only; "": all may be chosen
  SpeculationFlags speculation;
  bool ignore_eos = false;

  void add_to(Flags& flags);
  // Checked: UsageError for flags that make no sense, before anything is loaded. Who guesses is not in it.
  // (How tokens are drawn is said by `sampling`, not by generate.sampler.)
  GenerateOptions options() const;
  // As SamplingFlags::set(), and "max_tokens".
  void set(const std::string& name, const std::string& value);
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
  std::vector<TokenChoice> choices = {};  // one an id, where logprobs are wanted
};

// Why it ended, as JSON says it: "eos" (an id that ends a text), "stop_string", "max_tokens", "context" (it
// is full), "timeout", "interrupted", "complete" (the grammar lets nothing follow), "failed" (it cannot be
// kept to).
std::string_view stop_reason_name(const Answer& answer);

Answer answer(Engine& engine, std::span<const int32_t> prompt, const GenerationFlags& flags,
              bool hide_stop_ids, const std::function<void(const std::string&)>& show);

// The same for many prompts in batched steps, as generate_batch(): `done` gets each one's answer in the order
// of the prompts, as soon as it and all before it have ended. False if interrupted: those in the making then
// end so, and the others have no end.
bool answer_all(Engine& engine, std::span<const std::vector<int32_t>> prompts, const GenerationFlags& flags,
                bool hide_stop_ids, int64_t slots,
                const std::function<void(size_t prompt, const Answer&)>& done,
                const BatchDetails& details = {});

}  // namespace lmc
