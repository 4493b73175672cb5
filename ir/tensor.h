// Tensors of the reference evaluator: plain arrays of double. A quantised tensor holds the numbers it stands
// for.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/type.h"

namespace lmc {

struct Tensor {
  DType dtype = DType::f32;
  std::vector<int64_t> dims;  // all concrete
  std::vector<double> data;   // row-major; a kv tensor is [positions, heads, key width + value width]
  int64_t first = 0;          // of a kv tensor: the position of its first row; those before it are not held

  int64_t last() const { return dims.empty() ? 1 : dims.back(); }
  int64_t rows() const { return last() == 0 ? 0 : static_cast<int64_t>(data.size()) / last(); }
  const double* row(int64_t r) const { return data.data() + r * last(); }
  double* row(int64_t r) { return data.data() + r * last(); }
};

Tensor make_tensor(DType dtype, std::vector<int64_t> dims);  // zeros

}  // namespace lmc
