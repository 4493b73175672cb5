#include "tools/generate/sampling_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <random>

#include "ir/names.h"
#include "tools/cli/console.h"
#include "tools/generate/logit_bias.h"

namespace lmc {
namespace {

using Options = SamplerOptions;

constexpr std::array<SamplingSetting, 8> kSettings = {{
    {.name = "temperature", .doc = "0 = always the likeliest token", .real = &Options::temperature},
    {.name = "top_k", .doc = "draw among the k likeliest; 0 = all", .whole = &Options::top_k},
    {.name = "top_p", .doc = "draw among the likeliest that make up p", .real = &Options::top_p},
    {.name = "min_p",
     .doc = "draw among those at least p times as probable as the likeliest",
     .real = &Options::min_p},
    {.name = "repetition_penalty",
     .doc = "make earlier tokens less likely; 1 = no, 1.1 = a little",
     .real = &Options::repetition_penalty},
    {.name = "repetition_window",
     .doc = "how many tokens back penalties look, the prompt's too; 0 = all",
     .whole = &Options::repetition_window},
    {.name = "presence_penalty",
     .doc = "subtracted from the logits of those tokens; negative = likelier",
     .real = &Options::presence_penalty},
    {.name = "frequency_penalty",
     .doc = "the same, as many times as each of them came",
     .real = &Options::frequency_penalty},
}};

std::string flag_name(const std::string& setting) {
  std::string out = "--" + setting;
  for (char& c : out) c = c == '_' ? '-' : c;
  return out;
}

std::optional<uint64_t> seed_in(const std::string& text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(seed) : std::nullopt;
}

std::string wrong_seed(const std::string& text) {
  return text == "-1" || seed_in(text) ? "" : "must be a whole number of 0 or more, or -1, found " + text;
}

std::optional<double> number_in(const std::string& text) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(x) : std::nullopt;
}

// As a setting of one kind or the other.
void put(SamplerOptions& options, const SamplingSetting& setting, double value) {
  if (setting.real) options.*setting.real = value;
  constexpr double kMost = 1e15;  // far beyond what makes a difference, and whole as a double
  if (setting.whole) options.*setting.whole = static_cast<int64_t>(std::clamp(value, -kMost, kMost));
}

bool draws(const SamplerOptions& options) { return Sampler(options).draws(); }

}  // namespace

void SamplingFlags::add_to(Flags& flags) {
  for (const SamplingSetting& s : kSettings) {
    std::string names = flag_name(s.name);
    if (names == "--temperature") names += ",--temp";
    Flag flag = s.real ? flags.option(names, options_.*s.real, s.doc)
                       : flags.option(names, options_.*s.whole, s.doc).not_negative();
    flags_.emplace(s.name, flag.shows_default());
  }
  flags.option("--logit-bias", biases_, "ID=BIAS, added to a token's logit; -inf = never; repeatable")
      .one_value_each();
  flags
      .option(
          "-s,--seed", [this](const std::string& text) { seed_ = seed_in(text); },
          "of the draw; -1 or none = another one each time, which is said")
      .check(wrong_seed, "UINT");
  flags
      .option("--sampling", source,
              "what is not said by these flags: greedy (the likeliest token), or checkpoint, as its "
              "generation_config.json advises")
      .one_of({"greedy", "checkpoint"})
      .shows_default();
}

SamplerOptions SamplingFlags::options() const {
  SamplerOptions out = options_;
  for (const std::string& b : biases_) {
    const auto [id, bias] = parse_logit_bias(b);
    out.logit_bias.insert_or_assign(id, bias);
  }
  out.seed = seed_.value_or(0) + answers_;
  try {
    Sampler{out};
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
  return out;
}

bool take_advice(const std::map<std::string, double>& advice,
                 const std::function<bool(const std::string& setting)>& given, SamplerOptions& options) {
  bool advised = false;
  for (const SamplingSetting& s : kSettings) {
    const auto it = advice.find(s.name);
    if (it == advice.end() || given(s.name)) continue;
    put(options, s, it->second);
    advised = true;
    // transformers looks at the whole text.
    if (it->first == "repetition_penalty" && !given("repetition_window")) options.repetition_window = 0;
  }
  return advised;
}

void SamplingFlags::settle(const std::map<std::string, double>& advice) {
  const auto given = [&](const std::string& setting) { return flags_.at(setting).given(); };
  const bool advised = source == "checkpoint" && take_advice(advice, given, options_);
  const bool made_up = !seed_ && draws(options_);
  if (made_up) choose_seed();
  if (advised) return info("as the checkpoint advises: {}", text());
  if (made_up) info("--seed {}", *seed_);
}

void SamplingFlags::choose_seed() { seed_ = std::random_device{}(); }

void SamplingFlags::set(const std::string& name, const std::string& value) {
  SamplingFlags changed = *this;
  if (name == "seed") {
    if (const std::string wrong = wrong_seed(value); !wrong.empty()) throw UsageError("seed " + wrong);
    changed.seed_ = seed_in(value);
    changed.answers_ = 0;
  } else {
    std::vector<std::string> known = {"seed", "max_tokens"};
    const SamplingSetting* setting = nullptr;
    for (const SamplingSetting& s : kSettings) {
      known.push_back(s.name);
      if (flag_name(s.name) == flag_name(name)) setting = &s;
    }
    if (!setting)
      throw UsageError("there is no setting " + name +
                       did_you_mean(name, known, "; there are max_tokens, " + setting_names()));
    const std::optional<double> x = number_in(value);
    if (!x || !std::isfinite(*x) || (setting->whole && (*x < 0 || *x > 1e15 || *x != std::floor(*x))))
      throw UsageError(name + " must be a " + (setting->whole ? "whole number of 0 or more" : "number") +
                       ", found '" + value + "'");
    put(changed.options_, *setting, *x);
  }
  if (draws(changed.options_) && !changed.seed_) changed.choose_seed();
  static_cast<void>(changed.options());
  *this = changed;
}

std::string SamplingFlags::text() const {
  static const SamplerOptions kUsual;
  std::string out;
  for (const SamplingSetting& s : kSettings) {
    const bool changed = s.real ? options_.*s.real != kUsual.*s.real : options_.*s.whole != kUsual.*s.whole;
    if (!changed) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : " ", flag_name(s.name),
                       s.real ? fmt::format("{}", options_.*s.real) : fmt::format("{}", options_.*s.whole));
  }
  if (const auto seed = drawn_from()) out += fmt::format(" --seed {}", *seed);
  return out.empty() ? "always the likeliest token" : out;
}

std::optional<uint64_t> SamplingFlags::drawn_from() const { return draws(options_) ? seed_ : std::nullopt; }

std::string SamplingFlags::setting_names() {
  std::string out;
  for (const SamplingSetting& s : kSettings) out += std::string(s.name) + ", ";
  return out + "seed";
}

}  // namespace lmc
