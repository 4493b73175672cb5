#include "tools/measure/bench/ab_rates.h"

#include <functional>
#include <map>
#include <sstream>

#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/measure/bench/bench.h"
#include "tools/measure/bench/sequences_speed.h"
#include "tools/system/child.h"

namespace lmc {
namespace {

using Engines = std::array<std::optional<Engine>, 2>;

AbRates measure(Engines& engines, int rounds, const std::function<double(Session&)>& rate) {
  for (auto& e : engines) rate(e->session());  // warm-up
  AbRates out;
  for (int r = 0; r < rounds; ++r) {
    // A B, B A, A B, …: a steady drift favours neither.
    for (int i = 0; i < 2; ++i) {
      const auto side = static_cast<size_t>((r + i) % 2);
      out.rates[side].push_back(rate(engines[side]->session()));
    }
  }
  return out;
}

}  // namespace

Interval AbRates::ratio() const {
  std::vector<double> ratios;
  for (size_t r = 0; r < rates[0].size(); ++r) ratios.push_back(rates[1][r] / rates[0][r]);
  return ratio_interval(ratios);
}

AbResult measure_ab(const std::array<std::string, 2>& bundles, const AbPlan& plan) {
  Engines engines;
  for (size_t side = 0; side < 2; ++side) {
    engines[side].emplace(bundles[side], SessionOptions{.threads = plan.threads, .scheduler = plan.scheduler},
                          plan.load);
    check_tests(bundles[side], engines[side]->session().plan(),
                {plan.prefill(), plan.decode(), plan.together()});
  }
  for (auto& e : engines) e->session().warm_up();
  AbResult out;
  out.threads = engines[0]->session().threads();
  if (plan.prompt > 0) {
    out.prefill = measure(engines, plan.rounds, [&](Session& s) {
      return static_cast<double>(plan.prompt) / time_prefill(s, plan.prompt);
    });
  }
  if (plan.tokens > 0) {
    // A round's rate is that of its median step: one interruption by another process decides nothing.
    out.decode = measure(engines, plan.rounds,
                         [&](Session& s) { return 1 / median(time_decode(s, plan.tokens, plan.depth)); });
  }
  if (plan.sequences > 0) {
    std::map<Session*, SequencesTimer> timers;
    for (auto& e : engines) timers.try_emplace(&e->session(), e->session(), plan.sequences, plan.depth);
    out.together = measure(engines, plan.rounds, [&](Session& s) {
      return static_cast<double>(plan.sequences) / median(timers.at(&s).time(kSteps));
    });
  }
  return out;
}

std::string compile_with(const std::string& model, const std::string& flags, const std::string& output) {
  std::vector<std::string> arguments = {"compile", model, "-o", output};
  std::istringstream words(flags);
  for (std::string word; words >> word;) arguments.push_back(word);
  info("compiling {} {}", model, flags);
  run_lmc(arguments);
  return output;
}

}  // namespace lmc
