// What the ranks tell rank 0 of their parts of the logits: a few numbers instead of all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ir/plan.h"
#include "runtime/collective.h"
#include "runtime/some_logits.h"

namespace lmc {

class LogitAnswers {
 public:
  // `gather`: of the logits, of which each rank has its part of each row (PlanStage::gather).
  LogitAnswers(Collective& collective, const PlanGather& gather) : collective_(collective), gather_(gather) {}

  // Of rows of logits, one behind the other, on every rank in front of the same collective.
  // On rank 0 what there is to know; on others nothing.
  std::vector<SomeLogits> answer(std::span<const LogitRequest> requests, const float* logits) const;
  // The same in two parts: what others answer comes meanwhile. The logits are not needed for the second.
  class UnderWay;
  std::unique_ptr<UnderWay> begin(std::span<const LogitRequest> requests, const float* logits) const;
  // The id that a draw falls on, on rank 0; -1 where it is too near to a border.
  int32_t draw(const LogitDraw& draw, const float* logits) const;
  // All of `rows`, on rank 0.
  void complete(float* logits, int64_t rows) const;

  int64_t vocab() const { return gather_.stride / int64_t{sizeof(float)}; }
  bool has_part() const { return gather_.bytes[static_cast<size_t>(gather_.rank)] > 0; }

 private:
  int64_t first(size_t rank) const;  // id
  int64_t bytes(const LogitRequest& request, size_t rank) const;

  Collective& collective_;
  const PlanGather& gather_;
};

class LogitAnswers::UnderWay {
 public:
  std::vector<SomeLogits> end();  // once; on other ranks than 0 nothing comes

 private:
  friend class LogitAnswers;
  std::vector<SomeLogits> rows_;            // of each, what parts there will be
  std::vector<std::vector<size_t>> bytes_;  // by rank and row
  std::vector<std::byte> all_;              // rank after rank
  std::unique_ptr<Gathering> gathering_;
  bool gets_ = false;
};

}  // namespace lmc
