#include "runtime/row_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/error.h"

namespace lmc {
namespace {

void check_room(int64_t count, int64_t position, const Plan& plan) {
  if (position + count <= plan.context) return;
  const std::string before = position > 0 ? " after the " + std::to_string(position) + " already there" : "";
  throw Error("the prompt has " + std::to_string(count) + " tokens" + before + ", but the context holds " +
              std::to_string(plan.context) + ": shorten it or compile with a larger --context");
}

void check_token(int32_t token, size_t index, const Plan& plan) {
  if (token >= 0 && token < plan.vocab) return;
  throw Error("token " + std::to_string(token) + " at index " + std::to_string(index) +
              " is not in the vocabulary of " + std::to_string(plan.vocab) +
              ": does the tokenizer belong to this model?");
}

}  // namespace

int64_t most_tokens(const Plan& plan) { return std::max(plan.decode.max_tokens, plan.prefill.max_tokens); }
int64_t most_logits(const Plan& plan) { return std::max(plan.decode.max_rows, plan.prefill.max_rows); }

int64_t wanted_of(std::span<const StepRow> rows) {
  return std::count_if(rows.begin(), rows.end(), [](const StepRow& r) { return r.logits; });
}

int64_t rows_of(std::span<const StepRow> rows, const Sequence& sequence) {
  return std::count_if(rows.begin(), rows.end(), [&](const StepRow& r) { return r.sequence == &sequence; });
}

void check_tokens(std::span<const int32_t> tokens, int64_t position, const Plan& plan) {
  if (tokens.empty()) throw Error("the prompt is empty: at least one token is needed");
  check_room(static_cast<int64_t>(tokens.size()), position, plan);
  for (size_t i = 0; i < tokens.size(); ++i) check_token(tokens[i], i, plan);
}

void check_rows(std::span<const StepRow> rows, const Plan& plan) {
  const auto count = static_cast<int64_t>(rows.size());
  if (count < 1 || count > most_tokens(plan)) {
    throw Error("a step takes 1 to " + std::to_string(most_tokens(plan)) + " tokens, not " +
                std::to_string(count));
  }
  const int64_t wanted = wanted_of(rows);
  if (wanted > most_logits(plan)) {
    throw Error("a step gives the logits of up to " + std::to_string(most_logits(plan)) + " tokens, not of " +
                std::to_string(wanted));
  }
  const Sequence* before = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    check_token(rows[i].token, i, plan);
    if (rows[i].sequence == std::exchange(before, rows[i].sequence)) continue;
    check_room(rows_of(rows, *rows[i].sequence), rows[i].sequence->position(), plan);
  }
}

}  // namespace lmc
