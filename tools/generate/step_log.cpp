#include "tools/generate/step_log.h"

#include "ir/stage_label.h"

namespace lmc {

StepLog::StepLog(const Plan& plan, LogLevel level, double read_peak)
    : plan_(plan),
      level_(level),
      read_peak_(read_peak),
      decode_(stage_places(plan.decode)),
      prefill_(stage_places(plan.prefill)) {}

StepLog::~StepLog() { print(); }

void StepLog::operator()(const StepPlan& plan, const StepInfo& step, const Profile& times) {
  constexpr std::chrono::milliseconds kBetween{100};
  if (level_ < LogLevel::debug) return;
  waiting_.push_back({step.tokens, step_times(&plan == &plan_.decode ? decode_ : prefill_, times),
                      level_ >= LogLevel::trace ? kernels(plan, step, times) : ""});
  if (std::chrono::steady_clock::now() - printed_ >= kBetween) print();
}

void StepLog::print() {
  std::string text;
  for (const auto& [tokens, t, kernels] : waiting_) {
    text += fmt::format("step {}: {} token{}", ++steps_, tokens, tokens == 1 ? "" : "s");
    for (size_t i = 0; i < t.sections.size(); ++i)
      text += fmt::format(" · {} {:.3f} ms", kSectionNames[i], t.sections[i] * 1e3);
    text += fmt::format(" · Total {:.3f} ms\n", t.total * 1e3);
    for (size_t l = 0; l < t.layers.size(); ++l) {
      std::string parts;
      for (const auto& [part, seconds] : t.layers[l])
        parts += fmt::format("{}{} {:.3f} ms", parts.empty() ? "" : ", ", part, seconds * 1e3);
      text += fmt::format("  layer {}: {}\n", l, parts);
    }
    text += kernels;
  }
  waiting_.clear();
  printed_ = std::chrono::steady_clock::now();
  if (!text.empty()) log_line(text.substr(0, text.size() - 1));
}

std::string StepLog::kernels(const StepPlan& plan, const StepInfo& step, const Profile& times) const {
  std::string out;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const PlanStage& stage = plan.stages[s];
    const double seconds = times.last_stages()[s].span;
    std::string rate;
    if (stage.work.weight_bytes > 0 && seconds > 0) {
      const double bytes_per_second = stage.work.weight_bytes / seconds;
      rate = fmt::format(
          " ({:.1f} GB/s{})", bytes_per_second / 1e9,
          read_peak_ > 0 ? fmt::format(", {:.0f}% of read peak", 100 * bytes_per_second / read_peak_) : "");
    }
    const double workers = seconds > 0 ? times.last_stages()[s].busy / seconds : 0;
    out += fmt::format("    {} {:.3f} ms{}, {:.2f} workers\n",
                       stage_label(stage.work, step.tokens, step.rows), seconds * 1e3, rate, workers);
  }
  return out;
}

}  // namespace lmc
