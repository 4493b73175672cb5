// Whole products by a matrix unit, which come back through the first level of the cache.
#pragma once

#include <functional>
#include <vector>

#include "codegen/kernels/builder.h"
#include "codegen/weight_layout.h"

namespace lmc {

// Of a row of activations and a group of weight rows.
struct UnitDots {
  llvm::Value* dots;  // exact, <16 x i32>
  llvm::Value* sum;   // address of what they are to be added to
};

// Multiplies the block that `c` is of and calls `scale`, in a loop, for each row of activations with its
// address and the products with each group.
inline void for_unit_dots(
    KernelBuilder& k, const UnitContraction& c,
    const std::function<void(llvm::Value* x, const std::vector<UnitDots>& groups)>& scale) {
  constexpr int64_t kLine = MatrixUnit::kRows * 4;
  auto& b = k.ir();
  const MatrixUnit& unit = *k.target().matrix_unit();
  unit.load(b, c.x_numbers, c.x_apart, c.rest);
  std::vector<llvm::Value*> products;
  for (llvm::Value* numbers : c.numbers) {
    products.push_back(k.buffer(MatrixUnit::kTokens * kLine, 64));
    unit.dot(b, numbers, products.back(), c.rest);
  }
  llvm::Type* type = k.vector(b.getInt32Ty(), MatrixUnit::kRows);
  k.loop(k.i64(0), c.rows, 1, [&](llvm::Value* row) {
    std::vector<UnitDots> groups;
    for (size_t i = 0; i < products.size(); ++i) {
      groups.push_back({k.load(type, k.at(products[i], k.mul(row, kLine)), 64),
                        k.at(c.sums[i], k.mul(row, c.sums_apart))});
    }
    scale(c.x(row), groups);
  });
}

}  // namespace lmc
