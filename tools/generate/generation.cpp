#include "tools/generate/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "tools/cli/console.h"
#include "tools/generate/answer_text.h"
#include "tools/generate/stop_strings.h"

namespace lmc {
void GenerationFlags::add_to(Flags& flags) {
  flags
      .option("-n,--max-tokens", generate.max_tokens,
              "most tokens to generate; -1 = until the context is full")
      .range(-1, INT64_MAX)
      .shows_default();
  sampling.add_to(flags);
  flags
      .option("--allowed-ids", allowed_ids,
              "a file of token ids and ranges (5-10): only these are chosen, and only their rows of the last "
              "projection read")
      .type_name("FILE");
  grammar.add_to(flags);
  flags.option("--stop", stops, "end before this text; repeatable").one_value_each();
  flags.flag("--ignore-eos", ignore_eos, "go on past the end-of-sequence token");
  flags.option("--timeout", generate.seconds, "end after this many seconds, the prompt's included; 0 = never")
      .not_negative();
  speculation.add_to(flags);
}

void GenerationFlags::set(const std::string& name, const std::string& value) {
  if (name != "max_tokens" && name != "max-tokens") return sampling.set(name, value);
  int64_t most = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), most);
  if (error != std::errc() || end != value.data() + value.size() || most < -1)
    throw UsageError("max_tokens must be a whole number of 0 or more, or -1, found '" + value + "'");
  generate.max_tokens = most;
}

GenerateOptions GenerationFlags::options() const {
  GenerateOptions out = generate;
  if (out.max_tokens < 0) out.max_tokens = INT64_MAX;
  out.sampler = sampling.options();
  speculation.check();
  StopStrings{stops};
  return out;
}

namespace {

GenerateOptions options_for(Engine& engine, const GenerationFlags& flags) {
  GenerateOptions out = flags.options();
  if (!flags.ignore_eos) out.stop_ids = engine.bundle().info.eos_ids;
  if (engine.is_constrained()) out.constraint = [&engine] { return engine.constraint(); };
  out.drafter = flags.speculation.drafter(engine);
  return out;
}

const Tokenizer* tokenizer_for(Engine& engine, const GenerationFlags& flags) {
  if (!flags.stops.empty()) engine.tokenizer();  // says so if there is none
  return engine.tokenizer_or_null();
}

Answer finished(AnswerText& text, Generated generated) {
  text.finish();
  return {std::move(generated), text.text(), text.stopped(), {}};
}

std::span<const int32_t> hidden_ids(const GenerateOptions& options, bool hide_stop_ids) {
  return hide_stop_ids ? options.stop_ids : std::span<const int32_t>();
}

}  // namespace

std::string_view stop_reason_name(const Answer& answer) {
  switch (answer.generated.reason) {
    case StopReason::max_tokens:
      return "max_tokens";
    case StopReason::stop_id:
      return "eos";
    case StopReason::context:
      return "context";
    case StopReason::callback:
      return "stop_string";
    case StopReason::timeout:
      return "timeout";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::complete:
      return "complete";
    case StopReason::failed:
      return "failed";
  }
  return "";
}

Restrictions::Restrictions(const GenerationFlags& flags) : flags_(flags) {
  if (flags.grammar.any()) grammar_ = flags.grammar.read();
}

void Restrictions::apply(Engine& engine) const {
  if (!flags_.allowed_ids.empty()) engine.allow_only(flags_.allowed_ids);
  if (!grammar_) return;
  const auto ends = flags_.ignore_eos ? std::span<const int32_t>() : std::span(engine.bundle().info.eos_ids);
  engine.keep_to(*grammar_, ends);
}

Answer answer(Engine& engine, std::span<const int32_t> prompt, const GenerationFlags& flags,
              bool hide_stop_ids, const std::function<void(const std::string&)>& show) {
  const GenerateOptions options = options_for(engine, flags);
  AnswerText text(tokenizer_for(engine, flags), flags.stops, hidden_ids(options, hide_stop_ids), show);
  Generated generated =
      generate(engine.session(), prompt, options, [&](int32_t id) { return text.push(id); });
  return finished(text, std::move(generated));
}

bool answer_all(Engine& engine, std::span<const std::vector<int32_t>> prompts, const GenerationFlags& flags,
                bool hide_stop_ids, int64_t slots,
                const std::function<void(size_t prompt, const Answer&)>& done, const BatchDetails& details) {
  const GenerateOptions options = options_for(engine, flags);
  std::map<size_t, AnswerText> growing;
  std::map<size_t, std::vector<TokenChoice>> choices;
  std::map<size_t, Answer> waiting;  // ended, but one before has not
  size_t next = 0;
  const auto text = [&](size_t prompt) -> AnswerText& {
    return growing
        .try_emplace(prompt, tokenizer_for(engine, flags), flags.stops, hidden_ids(options, hide_stop_ids))
        .first->second;
  };
  BatchListener listener;
  if (details.top_logprobs >= 0)
    listener.on_choice = [&](size_t prompt, const TokenChoice& c) { choices[prompt].push_back(c); };
  listener.on_token = [&](size_t prompt, int32_t id) { return text(prompt).push(id); };
  listener.on_end = [&](size_t prompt, Generated generated) {
    Answer a = finished(text(prompt), std::move(generated));
    a.choices = std::move(choices[prompt]);
    waiting.emplace(prompt, std::move(a));
    growing.erase(prompt);
    choices.erase(prompt);
    for (auto it = waiting.begin(); it != waiting.end() && it->first == next; it = waiting.erase(it))
      done(next++, it->second);
  };
  return generate_batch(engine.session(), prompts, options, slots, listener, details);
}

}  // namespace lmc
