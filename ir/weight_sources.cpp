#include "ir/weight_sources.h"

#include <algorithm>

#include "ir/op_def.h"
#include "ir/slice_places.h"

namespace lmc {
namespace {

int64_t size_along(const Type& t, int64_t axis) {
  return t.rank() == 0 ? 1 : t.dims[static_cast<size_t>(std::min<int64_t>(axis, t.rank() - 1))];
}

void append(std::vector<WeightRows>& out, const WeightRows& r) {
  if (r.rows == 0) return;
  if (!out.empty() && out.back().tensor == r.tensor && out.back().first + out.back().rows == r.first) {
    out.back().rows += r.rows;
  } else {
    out.push_back(r);
  }
}

// Positions of `v` along `axis`, in order.
std::vector<WeightRows> along(const Graph& g, ValueId v, int64_t axis) {
  const int64_t n = size_along(g.type(v), axis);
  const Op* op = g.def_op(v);
  if (!op) return {{g.value(v).name, 0, n, n}};
  const std::string& name = op->def->name;
  if (name == "transpose") return along(g, op->operands[0], 1 - axis);
  const bool cut = (name == "slice" || name == "concat") && attr_int(*op, "axis") == axis;
  std::vector<WeightRows> out;
  if (cut && name == "slice") {
    const std::vector<WeightRows> all = along(g, op->operands[0], axis);
    const SlicePlaces places(op->attrs);
    for (int64_t i = 0, run = 0; i < n; i += run) {
      run = places.run(i, n - i);
      for (const WeightRows& r : part_of(all, places.from(i), run)) append(out, r);
    }
    return out;
  }
  if (cut) {
    for (ValueId part : op->operands) {
      for (const WeightRows& r : along(g, part, axis)) append(out, r);
    }
    return out;
  }
  return along(g, op->operands[0], axis);
}

}  // namespace

std::string WeightRows::str() const {
  if (rows == of) return tensor;
  return tensor + "[" + std::to_string(first) + ":" + std::to_string(first + rows) + "]";
}

// A stack's rows are those of its matrices, one after the other.
std::vector<WeightRows> weight_rows(const Graph& g, ValueId v) {
  const Type& t = g.type(v);
  if (t.rank() != 3) return along(g, v, 0);
  const Op* op = g.def_op(v);
  if (!op) return {{g.value(v).name, 0, t.dims[0] * t.dims[1], t.dims[0] * t.dims[1]}};
  const bool concat = op->def->name == "concat";
  if ((!concat && op->def->name != "stack") || (concat && attr_int(*op, "axis") == 2))
    return weight_rows(g, op->operands[0]);
  const bool in_each = concat && attr_int(*op, "axis") == 1;  // joined within each matrix
  const int64_t turns = in_each ? t.dims[0] : 1;
  std::vector<std::vector<WeightRows>> parts;
  for (ValueId part : op->operands) parts.push_back(weight_rows(g, part));
  std::vector<WeightRows> out;
  for (int64_t turn = 0; turn < turns; ++turn) {
    for (size_t p = 0; p < parts.size(); ++p) {
      const Type& type = g.type(op->operands[p]);
      const int64_t rows = type.elements() / std::max<int64_t>(type.last(), 1) / turns;
      for (const WeightRows& r : part_of(parts[p], turn * rows, rows)) append(out, r);
    }
  }
  return out;
}

std::vector<WeightRows> part_of(const std::vector<WeightRows>& all, int64_t first, int64_t rows) {
  std::vector<WeightRows> out;
  int64_t at = 0;
  for (const WeightRows& r : all) {
    const int64_t from = std::max(first, at);
    const int64_t to = std::min(first + rows, at + r.rows);
    if (from < to) append(out, {r.tensor, r.first + from - at, to - from, r.of});
    at += r.rows;
  }
  return out;
}

}  // namespace lmc
