#include "codegen/layout.h"

#include <algorithm>

#include "codegen/packed_form.h"
#include "ir/op_def.h"
#include "ir/readers.h"
#include "ir/weight_expression.h"

namespace lmc {
namespace {

// What reads `v`, within groups too.
struct Readers {
  bool multiplied = false;  // the weight of a contraction
  bool gathered = false;    // a table whose rows are looked up
};

Readers readers(const Graph& graph, ValueId value) {
  Readers out;
  for_each_reader(graph, value, [&](const Graph& g, const Use& u) {
    const OpDef& def = *g.op(u.op).def;
    out.multiplied |= def.category == OpCategory::contraction && u.operand == 1;
    out.gathered |= def.name == "embedding";
  });
  return out;
}

std::string wanted_layout(const Graph& g, ValueId v, const LayoutChoice& choose) {
  const Type& type = g.type(v);
  const DType dtype = type.dtype;
  const Readers by = readers(g, v);
  if (by.multiplied || is_quantised(dtype)) {
    const Matrix all = matrix(type);
    return choose(dtype, type.rank() == 3 ? type.dims[1] : all.rows, all.cols).name();
  }
  return dtype_name(by.gathered ? dtype : DType::f32);
}

}  // namespace

bool add_packing(Graph& g, const LayoutChoice& choose) {
  const SideTable<ValueId, char> only = weight_only(g);
  std::vector<ValueId> packed;
  for (uint32_t i = 0, n = static_cast<uint32_t>(g.num_value_ids()); i < n; ++i) {
    const ValueId v{i};
    if (!only[v] || (g.def_op(v) && g.is_erased(g.value(v).def))) continue;
    if (g.def_op(v) && g.def_op(v)->def->name == "pack") continue;
    std::vector<Use> readers;
    for (const Use& u : g.value(v).uses) {
      if (!only[g.result(u.op)]) readers.push_back(u);
    }
    if (readers.empty()) continue;
    const std::string layout = wanted_layout(g, v, choose);
    const OpId pack = g.add_op("pack", {v}, {{"layout", layout}}, {g.value(v).name + ".packed"},
                               g.op(readers[0].op).scope, g.op(readers[0].op).loc);
    for (const Use& u : readers) g.set_operand(u.op, u.operand, g.result(pack));
    packed.push_back(g.result(pack));
  }
  const WeightExpressions check(g, packed);  // throws where one of them cannot be computed
  return !packed.empty();
}

int64_t packed_bytes(const std::string& layout, const Type& type) {
  const PackedForm form(layout);
  const Matrix m = matrix(type);
  const int64_t apart = form.apart(type);
  return apart * form.bytes({m.rows / apart, m.cols});
}

double share_read(const std::string& layout, const Type& type) {
  const PackedForm form(layout);
  const int64_t cols = matrix(type).cols, all = form.layout ? form.layout->group_bytes(cols) : 0;
  if (all == 0) return 1;
  int64_t read = 0;
  for (const WeightLayout::Run& run : form.layout->runs(cols)) read += run.bytes;
  return static_cast<double>(read) / static_cast<double>(all);
}

void unpack(const std::string& layout, const Type& type, const std::byte* packed, int64_t first,
            std::span<float> out) {
  const PackedForm form(layout);
  const int64_t cols = matrix(type).cols;
  const int64_t rows = matrix(type).rows / form.apart(type);
  const int64_t each = form.bytes({rows, cols});
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t at = first + static_cast<int64_t>(i);
    const int64_t r = at / cols % rows;
    const int64_t c = at % cols;
    const std::byte* start = packed + at / cols / rows * each;  // of the matrix that the element is in
    const std::byte* slab = start + r / form.slab_rows * form.slab_bytes(cols);
    if (form.layout) {
      out[i] = form.layout->element(slab, cols, r % form.slab_rows, c);
    } else {
      decode_row(*form.format, slab + c * form.format->bytes, 1, &out[i]);
    }
  }
}

}  // namespace lmc
