// The numbers of weight expressions. Views read long runs of the checkpoint; arithmetic is computed tile by
// tile by the ops' own evaluators, each tile once, with no more memory than the tiles that are still to be
// read.
#pragma once

#include <span>
#include <string>

#include "ir/weight_expression.h"
#include "ir/weights.h"

namespace lmc {

class WeightReader {
 public:
  // Both must outlive it. It may read in several threads.
  WeightReader(const WeightExpressions& expressions, const WeightSource& source)
      : x_(expressions), source_(source) {}

  const Graph& graph() const { return x_.graph(); }
  const WeightSource& source() const { return source_; }

  // All of a view that the expressions know, or of a part of one, row by row, in f32. Throws Error naming the
  // tensor that cannot be read, or the place of an op whose numbers are wanted in too many arrangements to
  // compute each in time.
  void read(const WeightView& view, std::span<float> out) const;

  // Where an element comes from, for messages: "tensor 'wte.weight', element 1234 (row 1, column 210)".
  std::string place(const WeightView& view, int64_t row, int64_t col) const;

 private:
  const WeightExpressions& x_;
  const WeightSource& source_;
};

}  // namespace lmc
