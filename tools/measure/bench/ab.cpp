#include "tools/measure/bench/ab.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/system/child.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

std::string verdict(const Interval& i) {
  if (std::isnan(i.low)) return "one round says nothing about certainty";
  if (i.low > 1) return "B is faster";
  if (i.high < 1) return "A is faster";
  return "no difference shown";
}

Json to_json(const AbRates& p) {
  const Interval i = p.ratio();
  return {{"a_tokens_per_second", {{"median", median(p.rates[0])}, {"samples", p.rates[0]}}},
          {"b_tokens_per_second", {{"median", median(p.rates[1])}, {"samples", p.rates[1]}}},
          {"ratio", i.value},
          {"ratio_low", std::isnan(i.low) ? Json() : Json(i.low)},
          {"ratio_high", std::isnan(i.high) ? Json() : Json(i.high)}};
}

void print_line(const std::string& what, const AbRates& p) {
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
    bundles[0] = compile_with(o.model, o.sides[0], folder->path() + "/a.lmc");
    bundles[1] = compile_with(o.model, o.sides[1], folder->path() + "/b.lmc");
  }
  const AbResult result = measure_ab(bundles, o.plan);
  if (o.json) {
    Json out = {{"a", o.sides[0]},         {"b", o.sides[1]},           {"model", o.model},
                {"rounds", o.plan.rounds}, {"threads", result.threads}, {"method", kAbMethod}};
    if (result.decode) out["decode"] = to_json(*result.decode);
    if (result.prefill) out["prefill"] = to_json(*result.prefill);
    if (result.together) out["sequences"] = to_json(*result.together);
    fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  fmt::print("A: {}\nB: {}\n{} threads, medians of {} alternating rounds\n", o.sides[0], o.sides[1],
             result.threads, o.plan.rounds);
  if (result.decode) print_line(o.plan.decode().name(), *result.decode);
  if (result.prefill) print_line(o.plan.prefill().name(), *result.prefill);
  if (result.together) print_line(o.plan.together().name(), *result.together);
  fmt::print("{}\n", kAbMethod);
}

}  // namespace lmc
