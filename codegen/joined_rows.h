// Weight expressions whose rows are those of their operands, one operand after the other: a concat along
// rows, and the experts of a stack.
#pragma once

#include <algorithm>
#include <cstdint>

#include "codegen/layout.h"
#include "ir/op_def.h"

namespace lmc {

inline bool joins_rows(const Graph& g, const Op& op) {
  return op.def->name == "stack" ||
         (op.def->name == "concat" && attr_int(op, "axis") + 1 < g.type(op.results[0]).rank());
}

// Calls f(part, from, n, before) for each run of rows that make up rows [first, first + rows) of the result:
// rows [from, from + n) of the operand `part`, with `before` rows of the result in front of them. Where parts
// are joined within each matrix of a stack, each matrix has its share of every part.
template <class F>
void for_joined_rows(const Graph& g, const Op& op, int64_t first, int64_t rows, const F& f) {
  const Type& type = g.type(op.results[0]);
  const bool in_each = type.rank() == 3 && op.def->name == "concat" && attr_int(op, "axis") == 1;
  const int64_t turns = in_each ? type.dims[0] : 1;
  const int64_t per_turn = matrix(type).rows / std::max<int64_t>(turns, 1);
  const int64_t end = first + rows;
  for (int64_t turn = first / std::max<int64_t>(per_turn, 1); turn < turns && turn * per_turn < end; ++turn) {
    int64_t at = turn * per_turn;
    for (const ValueId part : op.operands) {
      const int64_t own = matrix(g.type(part)).rows / turns;
      const int64_t from = std::max(first, at);
      const int64_t to = std::min(end, at + own);
      if (from < to) f(part, turn * own + from - at, to - from, from - first);
      at += own;
    }
  }
}

}  // namespace lmc
