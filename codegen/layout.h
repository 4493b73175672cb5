// How weights are laid out for the kernels, and the packing of them. Explicit in the IR: every weight a step
// reads is the result of a `pack` op whose layout is one of those below.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codegen/weight_layout.h"
#include "ir/error_feedback.h"
#include "ir/graph.h"
#include "ir/plan.h"
#include "ir/weight_reader.h"

namespace lmc {

// A matrix that a linear reads has a layout of codegen/weight_layout.h (rows side by side); in these the
// matrices of a stack [n, rows, cols] follow each other, each of whole slabs. Vectors are f32, and tables
// that are only looked up f32, f16 or bf16 as they are: row-major.

// The layout for matrices of rows × cols in a format, as Target::layout gives it.
using LayoutChoice = std::function<const WeightLayout&(DType format, int64_t rows, int64_t cols)>;

// Adds a `pack` op behind every weight-only value that a step op reads. Numbers keep the format they have, so
// that packing rounds nothing but what the IR says. Idempotent. Returns true if anything changed. Error at
// the place of an op on weights that cannot be computed when compiling.
bool add_packing(Graph& g, const LayoutChoice& choose);

int64_t packed_bytes(const std::string& layout, const Type& type);
// How much of that products read: 0 … 1.
double share_read(const std::string& layout, const Type& type);

// How far packed numbers are from the source: sums of squares, of those that are numbers.
struct PackError {
  double signal = 0;
  double noise = 0;
  int64_t not_finite = 0;  // NaN or infinite in the source, or lost with one in its block

  PackError& operator+=(const PackError& o) {
    signal += o.signal;
    noise += o.noise;
    not_finite += o.not_finite;
    return *this;
  }
};

// What is known of the inputs that a weight is multiplied by: how much each of its columns matters, so that
// errors of quantised numbers count so many times (empty: all alike), and how they go together (null: not
// known).
struct InputStatistics {
  std::vector<float> importance;
  std::shared_ptr<const ErrorFeedback> feedback;
};
// Of each packed weight; empty: of none.
using ColumnImportance = std::vector<InputStatistics>;

// What to do about weights that are NaN or infinite.
enum class NotFinite : uint8_t { refuse, keep };

// Packs weights in chunks of rows, each from nothing but the source: chunks may run in any order and in
// parallel.
class WeightPacker {
 public:
  // `packs[i]` is the pack op's result for Plan::weights[i]. All three must outlive the packer.
  // Error at the place of an op that cannot be computed when compiling.
  WeightPacker(const Graph& graph, std::vector<ValueId> packs, const WeightSource& source,
               NotFinite not_finite = NotFinite::refuse, ColumnImportance importance = {});
  WeightPacker(const WeightPacker&) = delete;
  WeightPacker& operator=(const WeightPacker&) = delete;

  size_t weights() const { return packs_.size(); }
  int64_t chunks(size_t weight) const;
  int64_t chunk_offset(size_t weight, int64_t chunk) const;  // bytes from the weight's start
  int64_t chunk_bytes(size_t weight, int64_t chunk) const;
  int64_t rows(size_t weight) const;
  int64_t chunk_row(size_t weight, int64_t chunk) const;  // its first row
  // Fills `out` (chunk_bytes long) and the error of each row of the weight that lies in this chunk (`rows`:
  // all of the weight's). Throws Error naming the tensor that could not be read, or tensor and element of a
  // number that is refused.
  void pack(size_t weight, int64_t chunk, std::span<std::byte> out, std::span<PackError> rows) const;
  // A whole weight in memory, `slack` readable bytes behind it.
  std::vector<std::byte> pack(size_t weight, size_t slack = 0) const;

 private:
  struct Shape;
  Shape shape(size_t weight) const;
  void refuse(const WeightView& part, int64_t row) const;

  const Graph& graph_;
  std::vector<ValueId> packs_;
  WeightExpressions expressions_;
  WeightReader reader_;
  NotFinite not_finite_;
  ColumnImportance importance_;
};

// The inverse of packing: elements [first, first + out.size()) of a packed weight, in row-major order.
void unpack(const std::string& layout, const Type& type, const std::byte* packed, int64_t first,
            std::span<float> out);

}  // namespace lmc
