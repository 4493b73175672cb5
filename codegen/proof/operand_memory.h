// Operands of a kernel in memory, each as its layout has it: written from numbers and read back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codegen/kernel_spec.h"
#include "codegen/portion.h"
#include "ir/tensor.h"

namespace lmc::proof {

// Zeroed pages that are only there once they are touched: a large weight costs what its tiles cost. Kernels
// may read kReadPastEnd bytes behind them. Error where the address space has no room.
class Pages {
 public:
  explicit Pages(int64_t bytes);
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&&) = delete;
  ~Pages();
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
};

// An activation of a step of `tokens` tokens: f32, i32, or rows of q8_0 with their scales and sums.
void store_activation(const KernelOperand& operand, const Tensor& numbers, int64_t tokens, std::byte* memory);

// An element of what a kernel has written: `row` counts the rows of all tokens.
double number_at(const KernelOperand& operand, const std::byte* memory, const Type& type, int64_t row,
                 int64_t element);

// Rows of a seeded weight (weight_row with this key) of one matrix of a stack: whole slabs of the layout,
// which other ranges may share.
void store_weight_rows(const KernelOperand& operand, const Type& type, uint64_t key, int64_t matrix,
                       const Range& range, std::byte* memory);

}  // namespace lmc::proof
