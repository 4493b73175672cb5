#include "codegen/packed_form.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

DType format_of(const std::string& name, const WeightLayout* layout) {
  if (layout) return layout->dtype();
  const auto dtype = dtype_from_name(name);
  if (!dtype || !is_float(*dtype)) throw Error("there is no layout '" + name + "' for weights");
  return *dtype;
}

}  // namespace

PackedForm::PackedForm(const std::string& name)
    : layout(find_weight_layout(name)),
      format(&block_format(format_of(name, layout))),
      slab_rows(layout ? layout->slab_rows() : 1) {}

int64_t PackedForm::slab_bytes(int64_t cols) const {
  return layout ? layout->slab_bytes(cols) : format->row_bytes(cols);
}

int64_t PackedForm::bytes(const Matrix& m) const {
  return (m.rows + slab_rows - 1) / slab_rows * slab_bytes(m.cols);
}

int64_t PackedForm::apart(const Type& t) const {
  return t.rank() == 3 && layout ? std::max<int64_t>(t.dims[0], 1) : 1;
}

ValueId packed_weight(const Graph& g, ValueId v) {
  const Op* op = g.def_op(v);
  if (op && op->def->name == "high_nibbles") {
    v = op->operands[0];
    op = g.def_op(v);
  }
  return op && op->def->name == "pack" ? v : ValueId();
}

}  // namespace lmc
