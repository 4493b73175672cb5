// How a session runs, and who watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "ir/kernel_abi.h"
#include "ir/machine.h"
#include "ir/plan.h"
#include "runtime/collective.h"
#include "runtime/profile.h"
#include "runtime/scheduler.h"

namespace lmc {

struct SessionOptions {
  int threads = 0;    // 0: default_threads()
  int64_t block = 0;  // most tokens of a prompt fed at once; 0: as many as the plan takes, 1: token by token
  std::string scheduler = kUsualScheduler;  // the name of one (runtime/scheduler.h)
  MachineFigures machine = {};              // what the scheduler goes by
  bool profile = false;
  // With `profile`: called after every step, with the plan that ran and the times of its tiles.
  std::function<void(const StepPlan& plan, const StepInfo& step, const Profile& times)> on_step = {};
  // Called in front of every stage, whose inputs are there, with the addresses of its operands. With the
  // scheduler "in-order"; others begin several stages at once.
  std::function<void(const PlanStage& stage, const StepInfo& step, std::span<void* const> operands)>
      before_stage = {};
  Collective* collective = nullptr;  // with the other ranks, of a plan for several; outlives the session
  int64_t* cycles = nullptr;         // kAttentionParts counters, for kernels compiled for measuring
  // Looked at between steps: true ends forward() early. Read relaxed, as it hands over nothing else.
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace lmc
