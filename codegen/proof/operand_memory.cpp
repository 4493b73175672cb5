#include "codegen/proof/operand_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "codegen/frame.h"
#include "codegen/proof/seeded.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"
#include "ir/kernel_abi.h"
#include "ir/weight_view.h"

namespace lmc::proof {
namespace {

// A row of q8_0 blocks as kernels keep it: all integers, then all scales, then the sum of every block.
void store_quantised_row(const double* from, int64_t columns, std::byte* row) {
  const int64_t padded = (columns + kQ8Block - 1) / kQ8Block * kQ8Block;
  const BlockFormat& format = block_format(DType::q8_0);
  const std::vector<float> numbers(from, from + columns);
  std::vector<std::byte> blocks(static_cast<size_t>(format.row_bytes(columns)));
  encode_row(format, numbers.data(), columns, blocks.data());
  for (int64_t b = 0; b < padded / kQ8Block; ++b) {
    uint16_t half;
    std::memcpy(&half, blocks.data() + b * format.bytes, 2);
    const float scale = f16_to_f32(half);
    int32_t sum = 0;
    for (int64_t i = 0; i < kQ8Block; ++i) {
      const std::byte q = blocks[static_cast<size_t>(b * format.bytes + 2 + i)];
      row[b * kQ8Block + i] = q;
      sum += static_cast<int8_t>(q);
    }
    std::memcpy(row + padded + b * 4, &scale, 4);
    std::memcpy(row + padded + padded / 8 + b * 4, &sum, 4);
  }
}

void store_number(const std::string& layout, double x, std::byte* at) {
  const auto number = static_cast<int32_t>(x);
  const auto real = static_cast<float>(x);
  std::memcpy(at, layout == "i32" ? static_cast<const void*>(&number) : &real, 4);
}

void store_row_major(const std::string& layout, const std::vector<float>& numbers, std::byte* row) {
  const size_t element = layout == "f32" ? 4 : 2;
  for (size_t c = 0; c < numbers.size(); ++c) {
    const float x = numbers[c];
    const uint16_t half = layout == "f16" ? f32_to_f16(x) : f32_to_bf16(x);
    std::memcpy(row + c * element, element == 4 ? static_cast<const void*>(&x) : &half, element);
  }
}

}  // namespace

Pages::Pages(int64_t bytes) : bytes_(static_cast<size_t>(bytes + kReadPastEnd)) {
  void* p =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw Error("no memory to try a kernel: " + std::to_string(bytes_) + " bytes");
  data_ = static_cast<std::byte*>(p);
}

Pages::Pages(Pages&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}

Pages::~Pages() {
  if (data_) ::munmap(data_, bytes_);
}

void store_activation(const KernelOperand& o, const Tensor& t, int64_t tokens, std::byte* memory) {
  const int64_t rows = t.rows() / std::max<int64_t>(tokens, 1);  // sub-rows of a token
  const int64_t columns = t.last();
  for (int64_t r = 0; r < t.rows(); ++r) {
    const double* from = t.row(r);
    // A tensor of rank 1 holds a number for each token.
    if (t.dims.size() == 1) {
      for (int64_t i = 0; i < columns; ++i) store_number(o.layout, from[i], memory + i * o.stride);
      continue;
    }
    std::byte* token = memory + r / rows * o.stride;
    if (o.layout == "q8_0") {
      store_quantised_row(from, columns, token + r % rows * quantised_bytes(columns));
      continue;
    }
    for (int64_t i = 0; i < columns; ++i)
      store_number(o.layout, from[i], token + (r % rows * columns + i) * 4);
  }
}

void store_weight_rows(const KernelOperand& operand, const Type& type, uint64_t key, int64_t m,
                       const Range& range, std::byte* memory) {
  const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
  const Matrix all = matrix(type);
  const int64_t rows = all.rows / matrices;
  const WeightLayout* layout = find_weight_layout(operand.layout);
  if (!layout) {  // row-major
    const int64_t row_bytes = all.cols * (operand.layout == "f32" ? 4 : 2);
    for (int64_t r = range.first; r < range.first + range.count; ++r)
      store_row_major(operand.layout, weight_row(type.dtype, all.cols, key, m * rows + r).numbers,
                      memory + (m * rows + r) * row_bytes);
    return;
  }
  const int64_t slab_bytes = layout->slab_bytes(all.cols);
  const int64_t size = layout->slab_rows();
  const int64_t slabs = (rows + size - 1) / size;
  for (int64_t slab = range.first / size; slab * size < range.first + range.count; ++slab) {
    std::vector<std::byte> stored;
    const int64_t count = std::min(size, rows - slab * size);
    for (int64_t r = 0; r < count; ++r) {
      const WeightRow row = weight_row(type.dtype, all.cols, key, m * rows + slab * size + r);
      stored.insert(stored.end(), row.stored.begin(), row.stored.end());
    }
    layout->pack_slab(stored.data(), count, all.cols, memory + (m * slabs + slab) * slab_bytes);
  }
}

double number_at(const KernelOperand& o, const std::byte* memory, const Type& type, int64_t row,
                 int64_t element) {
  int64_t sub_rows = 1;
  for (size_t i = 1; i + 1 < type.dims.size(); ++i) sub_rows *= type.dims[i];
  const std::byte* token = memory + row / sub_rows * o.stride;
  if (type.dtype == DType::q8_0) {
    const int64_t padded = (type.last() + kQ8Block - 1) / kQ8Block * kQ8Block;
    const std::byte* start = token + row % sub_rows * quantised_bytes(type.last());
    float scale;
    std::memcpy(&scale, start + padded + element / kQ8Block * 4, 4);
    return static_cast<double>(scale) * static_cast<int8_t>(start[element]);
  }
  const std::byte* at = token + (row % sub_rows * type.last() + element) * 4;
  if (type.dtype == DType::i32) {
    int32_t number;
    std::memcpy(&number, at, 4);
    return number;
  }
  float number;
  std::memcpy(&number, at, 4);
  return static_cast<double>(number);
}

}  // namespace lmc::proof
