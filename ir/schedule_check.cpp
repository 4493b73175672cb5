#include "ir/schedule_check.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

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

// A stage's access to some bytes.
struct Access {
  size_t stage;
  const PlanOperand* operand;
};

// By memory that stages write to (an arena, a cache, the output), who touches it, in the order of stages.
std::vector<std::vector<Access>> accesses(const StepPlan& plan) {
  std::map<std::pair<Space, int64_t>, std::pair<std::vector<Access>, bool>> by_memory;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    for (const PlanOperand& o : plan.stages[i].operands) {
      if (o.bytes <= 0) continue;
      const bool indexed = o.space != Space::arena && o.space != Space::output;
      auto& [list, written] = by_memory[{o.space, indexed ? o.index : 0}];
      list.push_back({i, &o});
      written |= o.written;
    }
  }
  std::vector<std::vector<Access>> out;
  for (auto& [memory, known] : by_memory) {
    if (known.second) out.push_back(std::move(known.first));
  }
  return out;
}

// Stages that must be ordered, the later one's number by the earlier's: of each range of bytes, who reads
// what was written last, who writes over it, and whoever had read it till then. All others that share bytes
// are ordered by a path through these.
class Neighbours {
 public:
  explicit Neighbours(const StepPlan& plan) : after_(plan.stages.size()) {
    for (const std::vector<Access>& list : accesses(plan)) add(list);
  }
  const std::vector<std::vector<size_t>>& after() const { return after_; }

 private:
  struct Range {
    std::optional<size_t> writer;
    std::vector<size_t> readers;  // since
  };

  void add(const std::vector<Access>& list) {
    std::vector<int64_t> borders;
    for (const Access& a : list) {
      borders.push_back(a.operand->offset);
      borders.push_back(a.operand->offset + a.operand->bytes);
    }
    std::sort(borders.begin(), borders.end());
    borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
    std::vector<Range> ranges(borders.size());
    const auto index = [&](int64_t at) {
      return static_cast<size_t>(std::lower_bound(borders.begin(), borders.end(), at) - borders.begin());
    };
    for (const Access& a : list) {
      const PlanOperand& o = *a.operand;
      for (size_t r = index(o.offset); borders[r] < o.offset + o.bytes; ++r)
        touch(ranges[r], a.stage, o.written);
    }
  }

  void touch(Range& range, size_t stage, bool writes) {
    if (range.writer) order(*range.writer, stage);
    if (!writes) {
      range.readers.push_back(stage);
      return;
    }
    for (const size_t reader : range.readers) order(reader, stage);
    range = {stage, {}};
  }

  void order(size_t first, size_t then) {
    if (first != then) after_[first].push_back(then);
  }

  std::vector<std::vector<size_t>> after_;
};

std::vector<int> numbers_below(size_t n) {
  std::vector<int> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

bool neighbours_are_ordered(const StepPlan& plan, const Predecessors& before) {
  const Neighbours neighbours(plan);
  bool good = true;
  for_reached(before, numbers_below(plan.stages.size()),
              [&](size_t first, const std::vector<ReachRow>& rows) {
                for (size_t i = first; i < std::min(first + kReachBlock, rows.size()); ++i) {
                  for (const size_t j : neighbours.after()[i]) good = good && rows[j][i - first];
                }
              });
  return good;
}

// By the later stage: its conflicts with those before it, in their order.
std::vector<std::vector<std::string>> all_conflicts(const StepPlan& plan, const Predecessors& before) {
  std::vector<std::vector<std::string>> out(plan.stages.size());
  for_reached(before, numbers_below(plan.stages.size()),
              [&](size_t first, const std::vector<ReachRow>& rows) {
                for (size_t j = first; j < rows.size(); ++j) {
                  for (size_t i = first; i < std::min(first + kReachBlock, j); ++i) {
                    if (rows[j][i - first]) continue;
                    const std::string what = conflict(plan.stages[i], plan.stages[j]);
                    if (!what.empty())
                      out[j].push_back(name(plan.stages[i], i) + " and " + name(plan.stages[j], j) +
                                       " are not ordered: " + what);
                  }
                }
              });
  return out;
}

}  // namespace

Predecessors stages_before(const std::vector<PlanStage>& stages) {
  Predecessors out(stages.size());
  for (size_t j = 0; j < stages.size(); ++j) {
    for (const int32_t d : stages[j].deps) {
      if (d >= 0 && static_cast<size_t>(d) < j) out[j].push_back(d);
    }
  }
  return out;
}

std::vector<std::string> check_schedule(const StepPlan& plan) {
  const Predecessors before = stages_before(plan.stages);
  // A plan that is sound is told by far fewer pairs than there are.
  std::vector<std::vector<std::string>> conflicts(plan.stages.size());
  if (!neighbours_are_ordered(plan, before)) conflicts = all_conflicts(plan, before);
  std::vector<std::string> out;
  for (size_t j = 0; j < plan.stages.size(); ++j) {
    for (const int32_t d : plan.stages[j].deps) {
      if (d < 0 || static_cast<size_t>(d) >= j)
        out.push_back(name(plan.stages[j], j) + " waits for stage " + std::to_string(d));
    }
    out.insert(out.end(), conflicts[j].begin(), conflicts[j].end());
  }
  return out;
}

}  // namespace lmc
