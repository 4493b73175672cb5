#include "codegen/q8_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ir/op_def.h"
#include "ir/slice_places.h"

namespace lmc {
namespace {

// Vectors of 8, as GCC and Clang know them on any machine.
constexpr int64_t kWays = 8;
using F8 = float __attribute__((vector_size(32)));
using D8 = double __attribute__((vector_size(64)));
using I8 = int32_t __attribute__((vector_size(32)));
using B8 = int8_t __attribute__((vector_size(8)));

[[gnu::always_inline]] inline void round_block(const float* x, Q8Block& out, PackError& error) {
  F8 v[kQ8Block / kWays];
  std::memcpy(v, x, sizeof v);
  F8 most = {};
  for (const F8& f : v) {
    const F8 a = f < 0 ? -f : f;
    most = a > most ? a : most;
  }
  float largest = 0;
  for (int64_t l = 0; l < kWays; ++l) largest = std::max(largest, most[l]);
  out.scale = f32_to_f16(std::min(largest / 127.0f, 65504.0f));
  const float d = f16_to_f32(out.scale);
  const float inverse = d > 0 ? 1.0f / d : 0.0f;
  D8 signal = {};
  D8 noise = {};
  for (size_t i = 0; i < std::size(v); ++i) {
    F8 q = v[i] * inverse;
    q = q < -127.0f ? F8{} - 127.0f : q;
    q = q > 127.0f ? F8{} + 127.0f : q;
    // Adding 1.5 * 2^23 leaves no bits for fractions: rounds to the nearest, ties to even.
    constexpr float kNoFractions = 12582912.0f;
    q = (q + kNoFractions) - kNoFractions;
    const B8 bytes = __builtin_convertvector(__builtin_convertvector(q, I8), B8);
    std::memcpy(out.q + static_cast<int64_t>(i) * kWays, &bytes, sizeof bytes);
    const D8 exact = __builtin_convertvector(v[i], D8);
    const D8 difference = exact - __builtin_convertvector(q, D8) * static_cast<double>(d);
    signal += exact * exact;
    noise += difference * difference;
  }
  PackError sum;
  for (int64_t l = 0; l < kWays; ++l) sum += {signal[l], noise[l]};
  error += sum;
}

void round_block_anywhere(const float* x, Q8Block& out, PackError& error) { round_block(x, out, error); }
__attribute__((target("avx2"))) void round_block_avx2(const float* x, Q8Block& out, PackError& error) {
  round_block(x, out, error);
}

// Up to 32 values to int8 and an f16 scale: max|x| / 127 (rounded to f16), the definition in
// ir/ops/quantize.cpp.
Q8Block quantize_block(const float* x, int64_t n, PackError& error) {
  static const auto round = __builtin_cpu_supports("avx2") ? round_block_avx2 : round_block_anywhere;
  Q8Block out{};
  if (n == kQ8Block) {
    round(x, out, error);
    return out;
  }
  float padded[kQ8Block] = {};
  std::copy(x, x + n, padded);
  round(padded, out, error);
  return out;
}

// Rows [first, first + rows) of `v` as the checkpoint holds them in Q8_0, if it does.
bool read_stored_blocks(const Graph& g, ValueId v, const WeightSource& source, int64_t first, int64_t rows,
                        std::span<Q8Block> out) {
  const Op* op = g.def_op(v);
  const bool transposed = op && op->def->name == "transpose";
  const Value& weight = g.value(transposed ? op->operands[0] : v);
  return weight.kind == ValueKind::weight &&
         source.read_blocks(weight.name, transposed, DType::q8_0, first, rows, std::as_writable_bytes(out));
}

}  // namespace

void read_q8_rows(const Graph& g, ValueId v, const WeightSource& source, int64_t first, int64_t rows,
                  std::span<Q8Block> out, std::span<PackError> errors) {
  const Matrix m = matrix(g.type(v));
  const int64_t blocks = q8_blocks(m.cols);
  const Op* op = g.def_op(v);
  const std::string name = op ? op->def->name : "";
  if (name == "pack" || name == "quantize")
    return read_q8_rows(g, op->operands[0], source, first, rows, out, errors);
  const bool by_rows =
      (name == "slice" || name == "concat") && attr_int(*op, "axis") == 0 && g.type(v).rank() == 2;
  if (by_rows && name == "slice") {
    const SlicePlaces places(op->attrs);
    for (int64_t r = 0, run = 0; r < rows; r += run) {
      run = places.run(first + r, rows - r);
      read_q8_rows(g, op->operands[0], source, places.from(first + r), run,
                   out.subspan(static_cast<size_t>(r * blocks)), errors.subspan(static_cast<size_t>(r)));
    }
    return;
  }
  if (by_rows && name == "concat") {
    int64_t at = 0;
    for (ValueId part : op->operands) {
      const int64_t height = matrix(g.type(part)).rows;
      const int64_t from = std::max(first, at);
      const int64_t to = std::min(first + rows, at + height);
      if (from < to) {
        const auto skipped = static_cast<size_t>(from - first);
        read_q8_rows(g, part, source, from - at, to - from,
                     out.subspan(skipped * static_cast<size_t>(blocks)), errors.subspan(skipped));
      }
      at += height;
    }
    return;
  }
  out = out.first(static_cast<size_t>(rows * blocks));
  if (m.cols % kQ8Block == 0 && read_stored_blocks(g, v, source, first, rows, out)) {
    for (size_t i = 0; i < out.size(); ++i) {
      const double d = f16_to_f32(out[i].scale);
      for (const int8_t q : out[i].q) errors[i / static_cast<size_t>(blocks)].signal += q * d * q * d;
    }
    return;
  }
  std::vector<float> x(static_cast<size_t>(rows * m.cols));
  read_weight_rows(g, v, source, first, x);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      out[static_cast<size_t>(r * blocks + b)] =
          quantize_block(x.data() + r * m.cols + b * kQ8Block, std::min(kQ8Block, m.cols - b * kQ8Block),
                         errors[static_cast<size_t>(r)]);
    }
  }
}

}  // namespace lmc
