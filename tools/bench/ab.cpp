#include "tools/bench/ab.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <sstream>

#include "tools/bench/bench.h"
#include "tools/bench/speed.h"
#include "tools/bench/statistics.h"
#include "tools/child.h"
#include "tools/console.h"
#include "tools/engine.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

const char* const kMethod =
    "geometric mean of the rounds' ratios B/A, 95% confidence by Student's t on their logarithms";

// Tokens per second of both sides, round by round.
struct Pair {
  std::array<std::vector<double>, 2> rates;

  Interval ratio() const {
    std::vector<double> ratios;
    for (size_t r = 0; r < rates[0].size(); ++r) ratios.push_back(rates[1][r] / rates[0][r]);
    return ratio_interval(ratios);
  }
};

std::string compiled(const std::string& model, const std::string& flags, const std::string& output) {
  std::vector<std::string> arguments = {"compile", model, "-o", output};
  std::istringstream words(flags);
  for (std::string word; words >> word;) arguments.push_back(word);
  info("compiling {} {}", model, flags);
  run_lmc(arguments);
  return output;
}

Pair measure(std::array<std::optional<Engine>, 2>& engines, int rounds,
             const std::function<double(Session&)>& rate) {
  for (auto& e : engines) rate(e->session());  // warm-up
  Pair out;
  for (int r = 0; r < rounds; ++r) {
    // A B, B A, A B, …: a steady drift favours neither.
    for (int i = 0; i < 2; ++i) {
      const auto side = static_cast<size_t>((r + i) % 2);
      out.rates[side].push_back(rate(engines[side]->session()));
    }
  }
  return out;
}

std::string verdict(const Interval& i) {
  if (std::isnan(i.low)) return "one round says nothing about certainty";
  if (i.low > 1) return "B is faster";
  if (i.high < 1) return "A is faster";
  return "no difference shown";
}

Json to_json(const Pair& p) {
  const Interval i = p.ratio();
  return {{"a_tokens_per_second", {{"median", median(p.rates[0])}, {"samples", p.rates[0]}}},
          {"b_tokens_per_second", {{"median", median(p.rates[1])}, {"samples", p.rates[1]}}},
          {"ratio", i.value},
          {"ratio_low", std::isnan(i.low) ? Json() : Json(i.low)},
          {"ratio_high", std::isnan(i.high) ? Json() : Json(i.high)}};
}

void print_line(const std::string& what, const Pair& p) {
  const Interval i = p.ratio();
  fmt::print("{:<12} A {:>9.2f}   B {:>9.2f} tokens/s   B/A {:.4f}{}   {}\n", what, median(p.rates[0]),
             median(p.rates[1]), i.value,
             std::isnan(i.low) ? "" : fmt::format(" [{:.4f}, {:.4f}]", i.low, i.high), verdict(i));
}

}  // namespace

void run_ab(const AbOptions& o) {
  std::optional<TemporaryFolder> folder;
  std::array<std::string, 2> bundles = o.sides;
  if (!o.model.empty()) {
    folder.emplace();
    bundles[0] = compiled(o.model, o.sides[0], folder->path() + "/a.lmc");
    bundles[1] = compiled(o.model, o.sides[1], folder->path() + "/b.lmc");
  }
  const SpeedTest prefill{SpeedTest::Kind::prefill, o.prompt, 0};
  const SpeedTest decode{SpeedTest::Kind::decode, o.tokens, o.depth};
  std::array<std::optional<Engine>, 2> engines;
  for (size_t side = 0; side < 2; ++side) {
    engines[side].emplace(bundles[side], SessionOptions{.threads = o.threads}, o.load);
    check_tests(bundles[side], engines[side]->session().context(), {prefill, decode});
  }
  for (auto& e : engines) e->session().warm_up();

  std::optional<Pair> prefills;
  std::optional<Pair> decodes;
  if (o.prompt > 0) {
    prefills = measure(engines, o.rounds,
                       [&](Session& s) { return static_cast<double>(o.prompt) / time_prefill(s, o.prompt); });
  }
  if (o.tokens > 0) {
    // A round's rate is that of its median step: one interruption by another process decides nothing.
    decodes =
        measure(engines, o.rounds, [&](Session& s) { return 1 / median(time_decode(s, o.tokens, o.depth)); });
  }
  if (o.json) {
    Json out = {{"a", o.sides[0]},
                {"b", o.sides[1]},
                {"model", o.model},
                {"rounds", o.rounds},
                {"threads", engines[0]->session().threads()},
                {"method", kMethod}};
    if (decodes) out["decode"] = to_json(*decodes);
    if (prefills) out["prefill"] = to_json(*prefills);
    fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  fmt::print("A: {}\nB: {}\n{} threads, medians of {} alternating rounds\n", o.sides[0], o.sides[1],
             engines[0]->session().threads(), o.rounds);
  if (decodes) print_line(decode.name(), *decodes);
  if (prefills) print_line(prefill.name(), *prefills);
  fmt::print("{}\n", kMethod);
}

}  // namespace lmc
