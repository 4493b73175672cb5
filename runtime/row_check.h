// What a step of a plan takes, and the words for what it does not.
#pragma once

#include <cstdint>
#include <span>

#include "ir/plan.h"
#include "runtime/step_inputs.h"

namespace lmc {

// Rows of a step, and how many of them may have their logits wanted.
int64_t most_tokens(const Plan& plan);
int64_t most_logits(const Plan& plan);

// How many of the rows want their logits.
int64_t wanted_of(std::span<const StepRow> rows);

// How many of the rows are tokens of this sequence.
int64_t rows_of(std::span<const StepRow> rows, const Sequence& sequence);

// Error for no tokens, for a token that is not in the vocabulary, or for more than the context holds behind
// `position` others.
void check_tokens(std::span<const int32_t> tokens, int64_t position, const Plan& plan);
// Error for what one step cannot take: too many rows or wanted logits, or what check_tokens() refuses of a
// sequence.
void check_rows(std::span<const StepRow> rows, const Plan& plan);

}  // namespace lmc
