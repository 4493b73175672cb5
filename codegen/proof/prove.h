// Every compile proves its kernels: each distinct one runs on seeded inputs beside the evaluator of its
// group.
#pragma once

#include <optional>
#include <string>

#include "codegen/codegen.h"

namespace lmc {

// A kernel that does not compute what its group means.
struct WrongKernel {
  std::string symbol, label;  // of the function; what it computes, in words
  std::string step;           // "decode", "prefill", "hidden" or "draft"
  std::string group;          // the first result of the group
  int64_t tokens = 0;         // of the step it was tried with
  std::string output;         // name in the body, of the first wrong element
  int64_t row = 0, element = 0;
  double got = 0, want = 0;
  Graph repro;  // the group alone

  std::string str() const;
};

struct Proof {
  size_t kernels = 0, verified = 0;
  std::optional<WrongKernel> wrong;  // the first; those behind it were not tried
};

// In steps of one token, and of 1, 7 and 31 (or as many as it takes) for blocks. `plan` is what `lowered` was
// compiled to. `all`: every tile; else of large kernels the first, the last and one in the middle,
// with 31 tokens the last.
Proof prove_kernels(const Lowered& lowered, const Plan& plan, const LoadedKernels& kernels, bool all);

}  // namespace lmc
