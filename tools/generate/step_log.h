// What LMC_LOG=debug and trace say of every step, on stderr.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ir/kernel_abi.h"
#include "tools/cli/console.h"
#include "tools/generate/step_sections.h"

namespace lmc {

class StepLog {
 public:
  // `read_peak` in bytes per second; 0 if it was not measured. Below debug it stays silent.
  StepLog(const Plan& plan, LogLevel level, double read_peak);

  ~StepLog();
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;

  void operator()(const StepPlan& plan, const StepInfo& step, const Profile& times);

 private:
  struct Entry {
    int64_t tokens;
    StepTimes times;
    std::string kernels;  // at trace
  };

  void print();
  std::string kernels(const StepPlan& plan, const StepInfo& step, const Profile& times) const;

  const Plan& plan_;
  LogLevel level_;
  double read_peak_;
  std::vector<StagePlace> decode_, prefill_;
  // Some steps are put into words at once: after a step that read all weights no cache holds a line of that
  // code, and one by one they would cost 1% of the time they tell of.
  std::vector<Entry> waiting_;
  std::chrono::steady_clock::time_point printed_;
  int64_t steps_ = 0;
};

}  // namespace lmc
