// One kernel on seeded inputs, beside the evaluator of its group.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernel_spec.h"
#include "codegen/portion.h"
#include "ir/kernel_abi.h"
#include "ir/tensor.h"

namespace lmc::proof {

// The first element that is not what the evaluator says.
struct Difference {
  std::string output;  // name of the body's output
  int64_t row = 0, element = 0;
  double got = 0, want = 0, allowed = 0;
};

class KernelRun {
 public:
  // A step of `tokens` tokens. `spec` must outlive it. `all`: every tile, instead of the first, the last and
  // one in the middle of a large kernel.
  KernelRun(const KernelSpec& spec, int64_t tokens, bool all);
  ~KernelRun();

  std::optional<Difference> compare(KernelFn kernel);

 private:
  struct Memory;

  void find_positions();
  void find_ids();
  void make_inputs(bool all);
  Tensor activation(size_t input) const;
  void store_activation(size_t input, std::byte* memory) const;
  void store_rows(size_t input, int64_t matrix, const Range& range);
  Tensor weight_part(size_t input, const PortionInput& part) const;
  Tensor part_of(const PortionInput& part) const;
  std::optional<Difference> compare_output(const Portion& portion, size_t output, const Tensor& want) const;
  double number_at(const KernelOperand& o, const std::byte* memory, const Type& type, int64_t row,
                   int64_t element) const;

  const KernelSpec& spec_;
  const int64_t tokens_;
  int64_t past_ = 0;                                  // positions in the caches before the step
  std::map<size_t, std::vector<int64_t>> looked_up_;  // inputs that name rows of a large table, and which
  std::vector<Portion> portions_;
  std::vector<Tensor> tensors_;  // per input of the body; empty for weights of contractions and large tables
  std::unique_ptr<Memory> memory_;
};

}  // namespace lmc::proof
