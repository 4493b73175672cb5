#include "tools/generate/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "runtime/generate_batch.h"
#include "tools/cli/console.h"
#include "tools/generate/answer_text.h"
#include "tools/generate/logit_bias.h"
#include "tools/generate/stop_strings.h"

namespace lmc {
namespace {

std::optional<uint64_t> seed_in(const std::string& text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(seed) : std::nullopt;
}

std::string check_seed(const std::string& text) {
  return text == "-1" || seed_in(text) ? "" : "must be a whole number of 0 or more, or -1, found " + text;
}

uint64_t seed_of(const std::string& text) {
  if (const auto seed = seed_in(text)) return *seed;
  const uint64_t seed = std::random_device{}();
  info("--seed {}", seed);
  return seed;
}

}  // namespace

void GenerationFlags::add_to(Flags& flags) {
  SamplerOptions& s = generate.sampler;
  flags
      .option("-n,--max-tokens", generate.max_tokens,
              "most tokens to generate; -1 = until the context is full")
      .range(-1, INT64_MAX)
      .shows_default();
  flags.option("--temperature,--temp", s.temperature, "0 = always the likeliest token").shows_default();
  flags.option("--top-k", s.top_k, "draw among the k likeliest; 0 = all").shows_default();
  flags.option("--top-p", s.top_p, "draw among the likeliest that make up p").shows_default();
  flags.option("--min-p", s.min_p, "draw among those at least p times as probable as the likeliest")
      .shows_default();
  flags
      .option("--repetition-penalty", s.repetition_penalty,
              "make earlier tokens less likely; 1 = no, 1.1 = a little")
      .shows_default();
  flags
      .option("--repetition-window", s.repetition_window,
              "how many tokens back penalties look, the prompt's too; 0 = all")
      .not_negative()
      .shows_default();
  flags
      .option("--presence-penalty", s.presence_penalty,
              "subtracted from the logits of those tokens; negative = likelier")
      .shows_default();
  flags.option("--frequency-penalty", s.frequency_penalty, "the same, as many times as each of them came")
      .shows_default();
  flags.option("--logit-bias", biases, "ID=BIAS, added to a token's logit; -inf = never; repeatable")
      .one_value_each();
  flags
      .option("--allowed-ids", allowed_ids,
              "a file of token ids and ranges (5-10): only these are chosen, and only their rows of the last "
              "projection read")
      .type_name("FILE");
  grammar.add_to(flags);
  flags
      .option(
          "-s,--seed", [&s](const std::string& text) { s.seed = seed_of(text); },
          "of the draw; -1 = another one each time, which is said (default: " + std::to_string(s.seed) + ")")
      .check(check_seed, "UINT");
  flags.option("--stop", stops, "end before this text; repeatable").one_value_each();
  flags.flag("--ignore-eos", ignore_eos, "go on past the end-of-sequence token");
  flags.option("--timeout", generate.seconds, "end after this many seconds, the prompt's included; 0 = never")
      .not_negative();
  speculation.add_to(flags);
}

GenerateOptions GenerationFlags::options() const {
  GenerateOptions out = generate;
  if (out.max_tokens < 0) out.max_tokens = INT64_MAX;
  for (const std::string& b : biases) {
    const auto [id, bias] = parse_logit_bias(b);
    out.sampler.logit_bias.insert_or_assign(id, bias);
  }
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
  return {std::move(generated), text.text(), text.stopped()};
}

std::span<const int32_t> hidden_ids(const GenerateOptions& options, bool hide_stop_ids) {
  return hide_stop_ids ? options.stop_ids : std::span<const int32_t>();
}

}  // namespace

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
                const std::function<void(size_t prompt, const Answer&)>& done) {
  const GenerateOptions options = options_for(engine, flags);
  std::map<size_t, AnswerText> growing;
  std::map<size_t, Answer> waiting;  // ended, but one before has not
  size_t next = 0;
  const auto text = [&](size_t prompt) -> AnswerText& {
    return growing
        .try_emplace(prompt, tokenizer_for(engine, flags), flags.stops, hidden_ids(options, hide_stop_ids))
        .first->second;
  };
  BatchListener listener;
  listener.on_token = [&](size_t prompt, int32_t id) { return text(prompt).push(id); };
  listener.on_end = [&](size_t prompt, Generated generated) {
    waiting.emplace(prompt, finished(text(prompt), std::move(generated)));
    growing.erase(prompt);
    for (auto it = waiting.begin(); it != waiting.end() && it->first == next; it = waiting.erase(it))
      done(next++, it->second);
  };
  return generate_batch(engine.session(), prompts, options, slots, listener);
}

}  // namespace lmc
