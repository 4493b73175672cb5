#include "ir/weight_sources.h"

#include <algorithm>

#include "ir/weight_expression.h"

namespace lmc {
namespace {

void append(std::vector<WeightRows>& out, const WeightRows& r) {
  if (r.rows == 0) return;
  if (!out.empty() && out.back().tensor == r.tensor) {
    WeightRows& last = out.back();
    const int64_t step = last.rows > 1 ? last.step : r.rows > 1 ? r.step : r.first - last.first;
    if (step > 0 && (r.rows == 1 || r.step == step) && last.first + last.rows * step == r.first) {
      last.rows += r.rows;
      last.step = step;
      return;
    }
  }
  out.push_back(r);
  if (r.rows == 1) out.back().step = 1;
}

// A row is where its first column comes from; a vector's elements count as rows.
std::vector<WeightRows> rows_of(const Graph& g, const WeightView& view) {
  std::vector<WeightRows> out;
  for (const WeightBox& box : view.boxes()) {
    if (box.col > 0) continue;
    const Value& leaf = g.value(box.leaf);
    const Matrix m = matrix(leaf.type);
    const int64_t of = box.transposed ? m.cols : m.rows;
    for (const Positions::Run& run : box.down.runs()) {
      if (!run.repeated) append(out, {leaf.name, run.from, run.count, of});
      for (int64_t i = 0; run.repeated && i < run.count; ++i) append(out, {leaf.name, run.from, 1, of});
    }
  }
  return out;
}

}  // namespace

std::string WeightRows::str() const {
  if (rows == of) return tensor;
  return tensor + "[" + std::to_string(first) + ":" + std::to_string(row(rows - 1) + 1) +
         (step > 1 ? ":" + std::to_string(step) : "") + "]";
}

std::vector<std::vector<WeightRows>> weight_rows(const Graph& g, std::span<const ValueId> values) {
  const WeightExpressions x(g, values, WeightExpressions::origins);
  std::vector<std::vector<WeightRows>> out;
  for (const ValueId v : values) {
    const WeightView& view = x.view(v);
    out.push_back(rows_of(g, g.type(v).rank() <= 1 ? view.transposed() : view));
  }
  return out;
}

std::vector<WeightRows> weight_rows(const Graph& g, ValueId v) { return weight_rows(g, std::span(&v, 1))[0]; }

std::vector<WeightRows> part_of(const std::vector<WeightRows>& all, int64_t first, int64_t rows) {
  std::vector<WeightRows> out;
  int64_t at = 0;
  for (const WeightRows& r : all) {
    const int64_t from = std::max(first, at);
    const int64_t to = std::min(first + rows, at + r.rows);
    if (from < to) append(out, {r.tensor, r.row(from - at), to - from, r.of, r.step});
    at += r.rows;
  }
  return out;
}

}  // namespace lmc
