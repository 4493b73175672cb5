// What LMC_LOG=debug and trace say of every step, on stderr.
#pragma once

#include <vector>

#include "ir/kernel_abi.h"
#include "tools/console.h"
#include "tools/step_sections.h"

namespace lmc {

class StepLog {
 public:
  // `read_peak` in bytes per second; 0 if it was not measured. Below debug it stays silent.
  StepLog(const Plan& plan, LogLevel level, double read_peak);

  void operator()(const StepPlan& plan, const StepInfo& step, const Profile& times);

 private:
  void kernels(const StepPlan& plan, const StepInfo& step, const Profile& times) const;

  const Plan& plan_;
  LogLevel level_;
  double read_peak_;
  std::vector<StagePlace> decode_, prefill_;
  int64_t steps_ = 0;
};

}  // namespace lmc
