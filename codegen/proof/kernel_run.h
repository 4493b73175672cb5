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
  static constexpr int64_t kFew = 8;  // tokens
  // A step of `tokens` tokens. `spec` must outlive it. `all`: every tile, instead of the first, the last and
  // one in the middle of a large kernel, and with more than a few tokens the last alone.
  KernelRun(const KernelSpec& spec, int64_t tokens, bool all);
  ~KernelRun();

  std::optional<Difference> compare(KernelFn kernel);

 private:
  struct Memory;

  void find_ids();
  void make_memory();
  void make_activations();
  void make_weights();
  Tensor part_of(const PortionInput& part) const;
  void run(KernelFn kernel, const uint8_t* allowed) const;
  std::optional<Difference> compare_allowed(KernelFn kernel) const;
  std::optional<Difference> compare_output(const Portion& portion, size_t output, const Tensor& want) const;

  const KernelSpec& spec_;
  const int64_t tokens_;
  const int64_t positions_before_;
  std::map<size_t, std::vector<int64_t>> looked_up_;  // inputs that name rows of a large table, and which
  std::vector<Portion> portions_;
  std::vector<Tensor> tensors_;  // per input of the body; empty for weights of contractions and large tables
  std::unique_ptr<Memory> memory_;
};

}  // namespace lmc::proof
