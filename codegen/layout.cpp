#include "codegen/layout.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "codegen/block_rows.h"
#include "codegen/joined_rows.h"
#include "codegen/weight_layout.h"
#include "ir/op_def.h"
#include "ir/slice_places.h"

namespace lmc {
namespace {

std::string wanted_layout(const Graph& g, ValueId v) {
  bool gathered = false;
  for (const Use& u : g.value(v).uses) {
    const Op& user = g.op(u.op);
    if (user.def->shape == OpShape::contraction && u.operand == 1)
      return weight_layout(g.type(v).dtype).name();
    gathered |= user.def->name == "embedding";
    if (user.body) {
      const std::string inside = wanted_layout(*user.body, user.body->inputs()[u.operand]);
      if (inside.ends_with("rows8")) return inside;
      gathered |= inside != "f32";
    }
  }
  if (is_quantised(g.type(v).dtype)) return weight_layout(g.type(v).dtype).name();
  return gathered ? dtype_name(g.type(v).dtype) : "f32";
}

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Matrices that are packed one after the other, each of whole groups: those of a stack.
int64_t packed_apart(const std::string& layout, const Type& t) {
  return t.rank() == 3 && layout.ends_with(".rows8") ? std::max<int64_t>(t.dims[0], 1) : 1;
}

}  // namespace

Matrix matrix(const Type& t) {
  if (t.rank() <= 1) return {1, t.elements()};
  return {t.elements() / std::max<int64_t>(t.last(), 1), t.last()};
}

bool add_packing(Graph& g) {
  const SideTable<ValueId, char> only = weight_only(g);
  bool changed = false;
  for (uint32_t i = 0, n = static_cast<uint32_t>(g.num_value_ids()); i < n; ++i) {
    const ValueId v{i};
    if (!only[v] || (g.def_op(v) && g.is_erased(g.value(v).def))) continue;
    if (g.def_op(v) && g.def_op(v)->def->name == "pack") continue;
    std::vector<Use> readers;
    for (const Use& u : g.value(v).uses) {
      if (!only[g.result(u.op)]) readers.push_back(u);
    }
    if (readers.empty()) continue;
    const std::string layout = wanted_layout(g, v);
    const OpId pack = g.add_op("pack", {v}, {{"layout", layout}}, {g.value(v).name + ".packed"},
                               g.op(readers[0].op).scope, g.op(readers[0].op).loc);
    for (const Use& u : readers) g.set_operand(u.op, u.operand, g.result(pack));
    changed = true;
  }
  return changed;
}

int64_t packed_bytes(const std::string& layout, const Type& type) {
  const Matrix m = matrix(type);
  const int64_t apart = packed_apart(layout, type);
  const int64_t groups = apart * ((m.rows / apart + 7) / 8);
  if (const WeightLayout* rows8 = find_weight_layout(layout)) return groups * rows8->group_bytes(m.cols);
  const int64_t element = layout == "f32" ? 4 : 2;
  return m.rows * m.cols * element;
}

void read_weight_rows(const Graph& g, ValueId v, const WeightSource& source, int64_t first,
                      std::span<float> out) {
  const Value& value = g.value(v);
  const Matrix m = matrix(value.type);
  if (m.cols == 0 || out.empty()) return;
  if (value.kind == ValueKind::weight) {
    source.read(value.name, first * m.cols, out);
    return;
  }
  const Op& op = *g.def_op(v);
  const std::string& name = op.def->name;
  const int64_t rows = static_cast<int64_t>(out.size()) / m.cols;
  if (name == "quantize" || name == "pack") {
    read_weight_rows(g, op.operands[0], source, first, out);
  } else if (name == "slice") {
    const int64_t axis = attr_int(op, "axis");
    const SlicePlaces places(op.attrs);
    const Matrix from = matrix(g.type(op.operands[0]));
    if (axis == 0 && value.type.rank() > 1) {
      for (int64_t r = 0, run = 0; r < rows; r += run) {
        run = places.run(first + r, rows - r);
        read_weight_rows(g, op.operands[0], source, places.from(first + r),
                         out.subspan(static_cast<size_t>(r * m.cols), static_cast<size_t>(run * m.cols)));
      }
      return;
    }
    std::vector<float> row(static_cast<size_t>(from.cols));
    for (int64_t r = 0; r < rows; ++r) {
      read_weight_rows(g, op.operands[0], source, first + r, row);
      for (int64_t c = 0; c < m.cols; ++c)
        out[static_cast<size_t>(r * m.cols + c)] = row[static_cast<size_t>(places.from(c))];
    }
  } else if (joins_rows(g, op)) {
    for_joined_rows(g, op, first, rows, [&](ValueId part, int64_t from, int64_t n, int64_t before) {
      read_weight_rows(g, part, source, from,
                       out.subspan(static_cast<size_t>(before * m.cols), static_cast<size_t>(n * m.cols)));
    });
  } else if (name == "concat") {
    int64_t at = 0;
    for (ValueId part : op.operands) {
      const Matrix p = matrix(g.type(part));
      std::vector<float> block(static_cast<size_t>(rows * p.cols));
      read_weight_rows(g, part, source, first, block);
      for (int64_t r = 0; r < rows; ++r)
        std::copy_n(block.begin() + r * p.cols, p.cols, out.begin() + r * m.cols + at);
      at += p.cols;
    }
  } else if (name == "transpose") {
    // Row r of the transposed is column r of the operand: read only those columns where the source allows it.
    const ValueId from = op.operands[0];
    const Matrix f = matrix(g.type(from));
    const bool direct = g.value(from).kind == ValueKind::weight;
    if (direct && source.read_transposed(g.value(from).name, first * m.cols, out)) return;
    std::vector<float> row(static_cast<size_t>(direct ? rows : f.cols));
    for (int64_t c = 0; c < f.rows; ++c) {
      if (direct) {
        source.read(g.value(from).name, c * f.cols + first, row);
      } else {
        read_weight_rows(g, from, source, c, row);
      }
      for (int64_t r = 0; r < rows; ++r) {
        out[static_cast<size_t>(r * m.cols + c)] = row[static_cast<size_t>(direct ? r : first + r)];
      }
    }
  } else {
    throw Error(op.loc, name + " cannot be computed on weights when compiling");
  }
}

struct WeightPacker::Shape {
  int64_t apart;  // matrices of that shape, one after the other
  Matrix matrix;
  std::string layout;
  int64_t rows_per_chunk;  // a multiple of 8
  int64_t row_unit_bytes;  // bytes of 8 rows (rows8) or of one row

  int64_t chunks_of_each() const { return (matrix.rows + rows_per_chunk - 1) / rows_per_chunk; }
  // In its matrix.
  int64_t first_row(int64_t chunk) const { return chunk % chunks_of_each() * rows_per_chunk; }
  int64_t rows(int64_t chunk) const { return std::min(rows_per_chunk, matrix.rows - first_row(chunk)); }
};

WeightPacker::WeightPacker(const Graph& graph, std::vector<ValueId> packs, const WeightSource& source)
    : graph_(graph), packs_(std::move(packs)), source_(source) {}

WeightPacker::Shape WeightPacker::shape(size_t weight) const {
  const ValueId v = packs_[weight];
  Shape s{1, matrix(graph_.type(v)), attr_string(*graph_.def_op(v), "layout"), 0, 0};
  s.apart = packed_apart(s.layout, graph_.type(v));
  s.matrix.rows /= s.apart;
  // About a million elements at a time: little memory, long runs of the source.
  s.rows_per_chunk = std::clamp(round_up((int64_t{1} << 20) / std::max<int64_t>(s.matrix.cols, 1), 8),
                                int64_t{8}, round_up(std::max<int64_t>(s.matrix.rows, 1), 8));
  const Type eight{DType::f32, {8, s.matrix.cols}};
  s.row_unit_bytes = packed_bytes(s.layout, eight);
  return s;
}

int64_t WeightPacker::chunks(size_t weight) const {
  const Shape s = shape(weight);
  return s.apart * s.chunks_of_each();
}

int64_t WeightPacker::rows(size_t weight) const {
  const Shape s = shape(weight);
  return s.apart * s.matrix.rows;
}

int64_t WeightPacker::chunk_row(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  return chunk / s.chunks_of_each() * s.matrix.rows + s.first_row(chunk);
}

int64_t WeightPacker::chunk_offset(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  const int64_t each = packed_bytes(s.layout, Type{DType::f32, {s.matrix.rows, s.matrix.cols}});
  return chunk / s.chunks_of_each() * each + s.first_row(chunk) / 8 * s.row_unit_bytes;
}

int64_t WeightPacker::chunk_bytes(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  return packed_bytes(s.layout, Type{DType::f32, {s.rows(chunk), s.matrix.cols}});
}

namespace {

void pack_groups(const WeightLayout& layout, const std::byte* in, int64_t row_bytes, int64_t rows,
                 int64_t cols, std::span<std::byte> out) {
  for (int64_t r = 0; r < rows; r += 8) {
    layout.pack_group(in + r * row_bytes, std::min<int64_t>(8, rows - r), cols,
                      out.data() + r / 8 * layout.group_bytes(cols));
  }
}

}  // namespace

void WeightPacker::pack(size_t weight, int64_t chunk, std::span<std::byte> out,
                        std::span<PackError> errors) const {
  const Shape s = shape(weight);
  const int64_t first = chunk_row(weight, chunk);
  const int64_t rows = s.rows(chunk);
  const int64_t cols = s.matrix.cols;
  const WeightLayout* rows8 = find_weight_layout(s.layout);
  if (rows8 && is_quantised(rows8->dtype())) {
    const BlockFormat& format = block_format(rows8->dtype());
    std::vector<std::byte> blocks(static_cast<size_t>(rows * format.row_bytes(cols)));
    read_block_rows(graph_, packs_[weight], source_, format, first, rows, blocks,
                    errors.subspan(static_cast<size_t>(first)));
    return pack_groups(*rows8, blocks.data(), format.row_bytes(cols), rows, cols, out);
  }
  std::vector<float> x(static_cast<size_t>(rows * cols));
  read_weight_rows(graph_, packs_[weight], source_, first, x);
  if (rows8) {
    pack_groups(*rows8, std::as_bytes(std::span(x)).data(), cols * 4, rows, cols, out);
  } else if (s.layout == "f32") {
    std::memcpy(out.data(), x.data(), out.size());
  } else {
    auto* y = reinterpret_cast<uint16_t*>(out.data());
    for (size_t i = 0; i < x.size(); ++i) y[i] = s.layout == "f16" ? f32_to_f16(x[i]) : f32_to_bf16(x[i]);
  }
  const auto rounded = [&](float f) {
    if (s.layout.starts_with("f32")) return f;
    return s.layout.starts_with("f16") ? f16_to_f32(f32_to_f16(f)) : bf16_to_f32(f32_to_bf16(f));
  };
  for (int64_t i = 0; i < rows * cols; ++i) {
    const float f = x[static_cast<size_t>(i)];
    const double lost = static_cast<double>(f) - static_cast<double>(rounded(f));
    errors[static_cast<size_t>(first + i / cols)] +=
        {static_cast<double>(f) * static_cast<double>(f), lost * lost};
  }
}

std::vector<std::byte> WeightPacker::pack(size_t weight, size_t slack) const {
  int64_t bytes = 0;
  for (int64_t c = 0; c < chunks(weight); ++c) bytes += chunk_bytes(weight, c);
  std::vector<std::byte> out(static_cast<size_t>(bytes) + slack);
  std::vector<PackError> errors(static_cast<size_t>(rows(weight)));
  for (int64_t c = 0; c < chunks(weight); ++c) {
    pack(weight, c,
         std::span(out).subspan(static_cast<size_t>(chunk_offset(weight, c)),
                                static_cast<size_t>(chunk_bytes(weight, c))),
         errors);
  }
  return out;
}

void unpack(const std::string& layout, const Type& type, const std::byte* packed, int64_t first,
            std::span<float> out) {
  const int64_t cols = matrix(type).cols;
  const int64_t rows = matrix(type).rows / packed_apart(layout, type);
  const int64_t each = packed_bytes(layout, Type{DType::f32, {rows, cols}});
  const WeightLayout* rows8 = find_weight_layout(layout);
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t at = first + static_cast<int64_t>(i);
    const int64_t r = at / cols % rows;
    const int64_t c = at % cols;
    const std::byte* start = packed + at / cols / rows * each;  // of the matrix that the element is in
    if (rows8) {
      out[i] = rows8->element(start + r / 8 * rows8->group_bytes(cols), cols, r % 8, c);
    } else if (layout == "f32") {
      std::memcpy(&out[i], start + (r * cols + c) * 4, 4);
    } else {
      uint16_t h;
      std::memcpy(&h, start + (r * cols + c) * 2, 2);
      out[i] = layout == "f16" ? f16_to_f32(h) : bf16_to_f32(h);
    }
  }
}

}  // namespace lmc
