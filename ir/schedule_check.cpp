#include "ir/schedule_check.h"

#include "ir/stage_label.h"

namespace lmc {
namespace {

bool same_bytes(const PlanOperand& a, const PlanOperand& b) {
  if (a.space != b.space || a.bytes <= 0 || b.bytes <= 0) return false;
  const bool indexed = a.space != Space::arena && a.space != Space::output;
  if (indexed && a.index != b.index) return false;
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

const char* space_name(Space s) {
  switch (s) {
    case Space::arena:
      return "arena";
    case Space::weight:
      return "weight";
    case Space::kv:
      return "cache";
    case Space::input:
      return "input";
    case Space::output:
      return "output";
  }
  return "?";
}

std::string name(const PlanStage& s, size_t i) {
  return "stage " + std::to_string(i) + " '" + stage_label(s.work) + "'";
}

// The first conflict between two stages, or nothing.
std::string conflict(const PlanStage& a, const PlanStage& b) {
  for (const PlanOperand& x : a.operands) {
    for (const PlanOperand& y : b.operands) {
      if ((x.written || y.written) && same_bytes(x, y)) {
        return std::string(space_name(x.space)) + " " + std::to_string(x.index) + ", bytes " +
               std::to_string(x.offset) + "+" + std::to_string(x.bytes) + " and " + std::to_string(y.offset) +
               "+" + std::to_string(y.bytes);
      }
    }
  }
  return "";
}

}  // namespace

std::vector<std::vector<bool>> stages_before(const std::vector<PlanStage>& stages) {
  std::vector<std::vector<bool>> before(stages.size(), std::vector<bool>(stages.size(), false));
  for (size_t j = 0; j < stages.size(); ++j) {
    for (const int32_t d : stages[j].deps) {
      const auto i = static_cast<size_t>(d);
      if (d < 0 || i >= j) continue;
      before[j][i] = true;
      for (size_t k = 0; k < i; ++k) {
        if (before[i][k]) before[j][k] = true;
      }
    }
  }
  return before;
}

std::vector<std::string> check_schedule(const StepPlan& plan) {
  std::vector<std::string> out;
  const std::vector<std::vector<bool>> before = stages_before(plan.stages);
  for (size_t j = 0; j < plan.stages.size(); ++j) {
    const PlanStage& b = plan.stages[j];
    for (const int32_t d : b.deps) {
      if (d < 0 || static_cast<size_t>(d) >= j)
        out.push_back(name(b, j) + " waits for stage " + std::to_string(d));
    }
    for (size_t i = 0; i < j; ++i) {
      if (before[j][i]) continue;
      const std::string what = conflict(plan.stages[i], b);
      if (!what.empty())
        out.push_back(name(plan.stages[i], i) + " and " + name(b, j) + " are not ordered: " + what);
    }
  }
  return out;
}

}  // namespace lmc
