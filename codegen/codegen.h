// The code generator's front door: lowered graphs in, a plan and an object file out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/lowered.h"
#include "ir/plan.h"

namespace lmc {

struct CodegenOptions {
  int64_t context = 0;     // recorded in the plan
  bool want_llvm = false;  // fill in llvm_ir (optimised) and assembly
  bool want_assembly = false;
  bool time_attention = false;  // attention kernels add up their cycles in StepInfo::cycles
  std::string cache_folder;     // where compiled kernels are kept for the next time; "" = nowhere
};

struct CodegenResult {
  Plan plan;
  Lowered graphs;              // what the plan was made from
  std::vector<ValueId> packs;  // in graphs.model, one per plan.weights: for WeightPacker
  std::string object;          // ELF, no undefined symbols
  size_t kernels = 0;          // functions in it
  bool from_cache = false;     // nothing was compiled
  std::string llvm_ir;
  std::string assembly;
};

// `lowered` as the lowering passes leave it: inputs tokens, pos, out_rows, length and kv caches; first output
// the logits f32[R,vocab]. Throws Error naming the op or group it cannot emit.
CodegenResult emit(Lowered lowered, const CodegenOptions& options);

// Just the plan (no LLVM): for --emit=plan.
CodegenResult plan_only(Lowered lowered, const CodegenOptions& options);

std::string llvm_version();  // of the library that is loaded: "19.1.7"

struct LoadOptions {
  bool debugger = false;  // tell GDB about the code
  bool perf = false;      // name the kernels for perf, in /tmp/perf-PID.map
};

// Kernels of a bundle, linked into this process by ORC and callable while this object lives.
class LoadedKernels {
 public:
  // Throws Error if the object is damaged or holds undefined symbols.
  explicit LoadedKernels(const std::string& object, const LoadOptions& options = {});
  ~LoadedKernels();
  LoadedKernels(LoadedKernels&&) noexcept;
  LoadedKernels& operator=(LoadedKernels&&) noexcept;

  void* find(const std::string& symbol) const;  // Error if there is none

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
