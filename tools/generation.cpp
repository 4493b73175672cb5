#include "tools/generation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "tools/console.h"
#include "tools/stop_strings.h"

namespace lmc {
namespace {

// "15=-2.5" or "15=-inf".
std::pair<int32_t, double> parse_bias(const std::string& text) {
  const char* const end = text.data() + text.size();
  int32_t id = 0;
  double bias = 0;
  const auto after_id = std::from_chars(text.data(), end, id);
  bool ok = after_id.ec == std::errc() && after_id.ptr != end && *after_id.ptr == '=';
  if (ok) {
    const auto after = std::from_chars(after_id.ptr + 1, end, bias);
    ok = after.ec == std::errc() && after.ptr == end && !std::isnan(bias) && bias < HUGE_VAL;
  }
  if (!ok) {
    throw UsageError("--logit-bias must be ID=BIAS with a number or -inf, such as 15=-2.5; found '" + text +
                     "'");
  }
  return {id, bias};
}

}  // namespace

void GenerationFlags::add_to(CLI::App& app) {
  SamplerOptions& s = generate.sampler;
  app.add_option("-n,--max-tokens", generate.max_tokens, "most tokens to generate")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--temperature", s.temperature, "0 = always the likeliest token")->capture_default_str();
  app.add_option("--top-k", s.top_k, "draw among the k likeliest; 0 = all")->capture_default_str();
  app.add_option("--top-p", s.top_p, "draw among the likeliest that make up p")->capture_default_str();
  app.add_option("--min-p", s.min_p, "draw among those at least p times as probable as the likeliest")
      ->capture_default_str();
  app.add_option("--repetition-penalty", s.repetition_penalty,
                 "make earlier tokens less likely; 1 = no, 1.1 = a little")
      ->capture_default_str();
  app.add_option("--repetition-window", s.repetition_window,
                 "how many tokens back that looks, the prompt's too; 0 = all")
      ->capture_default_str();
  app.add_option("--logit-bias", biases, "ID=BIAS, added to a token's logit; -inf = never; repeatable")
      ->allow_extra_args(false);
  app.add_option("--seed", s.seed, "of the draw")->capture_default_str();
  app.add_option("--stop", stops, "end before this text; repeatable")->allow_extra_args(false);
  app.add_flag("--ignore-eos", ignore_eos, "go on past the end-of-sequence token");
  app.add_option("--timeout", generate.seconds,
                 "end after this many seconds, the prompt's included; 0 = never")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--speculate", speculate,
                 "ngram: guess repetitions and verify them at once; the tokens stay the same")
      ->check(CLI::IsMember({"none", "ngram"}))
      ->capture_default_str();
  app.add_option("--draft", draft, "with --speculate: most tokens guessed at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

GenerateOptions GenerationFlags::options() const {
  GenerateOptions out = generate;
  for (const std::string& b : biases)
    out.sampler.logit_bias.insert_or_assign(parse_bias(b).first, parse_bias(b).second);
  if (speculate == "ngram") out.draft = draft;
  StopStrings{stops};
  return out;
}

Answer answer(Engine& engine, std::span<const int32_t> prompt, const GenerationFlags& flags,
              bool hide_stop_ids, const std::function<void(const std::string&)>& show) {
  GenerateOptions options = flags.options();
  if (!flags.ignore_eos) options.stop_ids = engine.bundle().info.eos_ids;
  Answer out;
  const auto hand_out = [&](const std::string& piece) {
    if (piece.empty()) return;
    out.text += piece;
    show(piece);
  };
  const Tokenizer* tokenizer = engine.tokenizer_or_null();
  if (!tokenizer) {
    if (!flags.stops.empty()) engine.tokenizer();  // says that there is none
    out.generated = generate(engine.session(), prompt, options, [&](int32_t id) {
      hand_out(std::to_string(id) + " ");
      return true;
    });
    return out;
  }
  StreamDecoder decoder(*tokenizer, true);
  StopStrings stops(flags.stops);
  const auto hidden = [&](int32_t id) {
    return hide_stop_ids &&
           std::find(options.stop_ids.begin(), options.stop_ids.end(), id) != options.stop_ids.end();
  };
  out.generated = generate(engine.session(), prompt, options, [&](int32_t id) {
    if (!hidden(id)) hand_out(stops.push(decoder.push(id)));
    return !stops.matched();
  });
  hand_out(stops.push(decoder.flush()));
  hand_out(stops.flush());
  out.stop_string = stops.matched();
  return out;
}

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error("cannot write to standard output");
  }
}

std::string acceptance_text(const Generated& g) {
  if (g.drafted == 0) return "";
  return fmt::format("{} of {} guessed tokens accepted ({:.0f}%)", g.accepted, g.drafted,
                     100.0 * static_cast<double>(g.accepted) / static_cast<double>(g.drafted));
}

}  // namespace lmc
