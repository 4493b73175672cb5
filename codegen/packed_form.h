// What the `layout` of a pack op means for the bytes of a weight: rows in slabs as a weight layout has them,
// or, under the name of a format, one after the other in that format.
#pragma once

#include <cstdint>
#include <string>

#include "codegen/weight_layout.h"
#include "ir/block_format.h"
#include "ir/graph.h"
#include "ir/weight_view.h"

namespace lmc {

struct PackedForm {
  const WeightLayout* layout;  // null: row-major
  const BlockFormat* format;
  int64_t slab_rows;  // that are packed together

  explicit PackedForm(const std::string& name);  // Error for a layout that is not known

  int64_t slab_bytes(int64_t cols) const;
  int64_t bytes(const Matrix& m) const;  // whole slabs
  // Matrices that are packed one after the other, each of whole slabs: those of a stack.
  int64_t apart(const Type& t) const;
};

// The result of the pack op that `v`, a packed weight or another reading of one, is made of; an invalid id if
// it is neither.
ValueId packed_weight(const Graph& g, ValueId v);

}  // namespace lmc
