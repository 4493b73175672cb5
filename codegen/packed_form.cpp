#include "codegen/packed_form.h"

#include <algorithm>

#include "ir/error.h"

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
      group_rows(layout ? layout->group_rows() : 1) {}

int64_t PackedForm::group_bytes(int64_t cols) const {
  return layout ? layout->group_bytes(cols) : format->row_bytes(cols);
}

int64_t PackedForm::bytes(const Matrix& m) const {
  return (m.rows + group_rows - 1) / group_rows * group_bytes(m.cols);
}

int64_t PackedForm::apart(const Type& t) const {
  return t.rank() == 3 && layout ? std::max<int64_t>(t.dims[0], 1) : 1;
}

}  // namespace lmc
