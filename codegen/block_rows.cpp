#include "codegen/block_rows.h"

#include <algorithm>
#include <vector>

#include "codegen/joined_rows.h"
#include "ir/op_def.h"
#include "ir/slice_places.h"

namespace lmc {
namespace {

// How far y is from x; in eight sums, which compilers can keep in vectors.
PackError error_of(const float* x, const float* y, int64_t n) {
  double signal[8] = {};
  double noise[8] = {};
  for (int64_t i = 0; i < n; i += 8) {
    for (int64_t l = 0; l < std::min<int64_t>(8, n - i); ++l) {
      const double exact = x[i + l];
      const double difference = exact - static_cast<double>(y[i + l]);
      signal[l] += exact * exact;
      noise[l] += difference * difference;
    }
  }
  PackError sum;
  for (int64_t l = 0; l < 8; ++l) sum += {signal[l], noise[l]};
  return sum;
}

// Of one reading, so that recursion through views has less to carry.
struct Reader {
  const Graph& g;
  const WeightSource& source;
  const BlockFormat& format;

  void read(ValueId v, int64_t first, int64_t rows, std::span<std::byte> out,
            std::span<PackError> errors) const {
    const Op* op = g.def_op(v);
    const std::string name = op ? op->def->name : "";
    const bool cut = name == "slice" && attr_int(*op, "axis") == 0 && g.type(v).rank() == 2;
    if (name == "pack" || name == "quantize") {
      read(op->operands[0], first, rows, out, errors);
    } else if (cut) {
      slice(*op, first, rows, out, errors);
    } else if (op && joins_rows(g, *op)) {
      const auto row_bytes = static_cast<size_t>(format.row_bytes(g.type(v).last()));
      for_joined_rows(g, *op, first, rows, [&](ValueId part, int64_t from, int64_t n, int64_t before) {
        const auto skipped = static_cast<size_t>(before);
        read(part, from, n, out.subspan(skipped * row_bytes), errors.subspan(skipped));
      });
    } else {
      const Matrix m = matrix(g.type(v));
      if (m.cols % format.values == 0 && stored(v, first, rows, out)) {
        exact(m.cols, rows, out, errors);
      } else {
        encode(v, m.cols, first, rows, out, errors);
      }
    }
  }

  void slice(const Op& op, int64_t first, int64_t rows, std::span<std::byte> out,
             std::span<PackError> errors) const {
    const SlicePlaces places(op.attrs);
    const auto row_bytes = static_cast<size_t>(format.row_bytes(g.type(op.results[0]).last()));
    for (int64_t r = 0, run = 0; r < rows; r += run) {
      run = places.run(first + r, rows - r);
      const auto skipped = static_cast<size_t>(r);
      read(op.operands[0], places.from(first + r), run, out.subspan(skipped * row_bytes),
           errors.subspan(skipped));
    }
  }

  // As the checkpoint holds them, if it does.
  bool stored(ValueId v, int64_t first, int64_t rows, std::span<std::byte> out) const {
    const Op* op = g.def_op(v);
    const bool transposed = op && op->def->name == "transpose";
    const Value& weight = g.value(transposed ? op->operands[0] : v);
    const auto bytes = static_cast<size_t>(rows * format.row_bytes(g.type(v).last()));
    return weight.kind == ValueKind::weight &&
           source.read_blocks(weight.name, transposed, format.dtype, first, rows, out.first(bytes));
  }

  void exact(int64_t columns, int64_t rows, std::span<std::byte> blocks, std::span<PackError> errors) const {
    std::vector<float> x(static_cast<size_t>(columns));
    for (int64_t r = 0; r < rows; ++r) {
      decode_row(format, blocks.data() + r * format.row_bytes(columns), columns, x.data());
      errors[static_cast<size_t>(r)] += error_of(x.data(), x.data(), columns);
    }
  }

  void encode(ValueId v, int64_t columns, int64_t first, int64_t rows, std::span<std::byte> out,
              std::span<PackError> errors) const {
    std::vector<float> x(static_cast<size_t>(rows * columns));
    std::vector<float> rounded(static_cast<size_t>(columns));
    read_weight_rows(g, v, source, first, x);
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = x.data() + r * columns;
      std::byte* blocks = out.data() + r * format.row_bytes(columns);
      encode_row(format, row, columns, blocks);
      decode_row(format, blocks, columns, rounded.data());
      errors[static_cast<size_t>(r)] += error_of(row, rounded.data(), columns);
    }
  }
};

}  // namespace

void read_block_rows(const Graph& g, ValueId v, const WeightSource& source, const BlockFormat& format,
                     int64_t first, int64_t rows, std::span<std::byte> out, std::span<PackError> errors) {
  Reader{g, source, format}.read(v, first, rows, out, errors);
}

}  // namespace lmc
