#include "runtime/step_inputs.h"

#include <algorithm>

#include "ir/kernel_abi.h"

namespace lmc {
namespace {

int64_t input_stride(const Plan& plan) {
  const int64_t rows = std::max(plan.decode.max_tokens, plan.prefill.max_tokens);
  return (rows * int64_t{sizeof(int32_t)} + kReadPastEnd + 63) / 64 * 64;
}

}  // namespace

StepInputs::StepInputs(const Plan& plan)
    : stride_(input_stride(plan)),
      memory_(static_cast<int64_t>(kStepInputs) * stride_, "the step's inputs") {}

int32_t* StepInputs::input(StepInput which) const {
  return reinterpret_cast<int32_t*>(memory_.data() + static_cast<int64_t>(which) * stride_);
}

StepInfo StepInputs::write(std::span<const StepRow> rows) {
  caches_.clear();
  spans_.clear();
  next_.clear();
  int64_t wanted = 0;
  for (const StepRow& row : rows) {
    if (row.logits) input(StepInput::out_rows)[wanted++] = static_cast<int32_t>(caches_.size());
    add_row(row);
  }
  // How far a sequence gets is known when all its rows are there.
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto of = [&](const Next& n) { return n.sequence == rows[i].sequence; };
    const int64_t length =
        rows[i].length > 0 ? rows[i].length : std::find_if(next_.begin(), next_.end(), of)->position;
    input(StepInput::length)[i] = static_cast<int32_t>(length);
  }
  return {.tokens = static_cast<int64_t>(rows.size()),
          .rows = wanted,
          .caches = caches_.data(),
          .spans = spans_.data(),
          .span_count = static_cast<int64_t>(spans_.size())};
}

void StepInputs::add_row(const StepRow& row) {
  const auto index = static_cast<int64_t>(caches_.size());
  const bool follows = index > 0 && next_.back().sequence == row.sequence;
  auto next = follows ? std::prev(next_.end()) : std::find_if(next_.begin(), next_.end(), [&](const Next& n) {
    return n.sequence == row.sequence;
  });
  // The sequence of the row before is the last, so that the usual step never searches.
  if (next == next_.end()) {
    next_.push_back({row.sequence, row.sequence->position()});
  } else if (!follows) {
    std::swap(*next, next_.back());
  }
  input(StepInput::tokens)[index] = row.token;
  const int64_t position = next_.back().position++;
  input(StepInput::pos)[index] = static_cast<int32_t>(position);
  row.sequence->cache.make_own(position);
  caches_.push_back(row.sequence->cache.pages());
  if (follows && spans_.back().count < kMostRowsOfSpan) {
    ++spans_.back().count;
  } else {
    spans_.push_back({index, 1});
  }
}

}  // namespace lmc
