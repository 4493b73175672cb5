// A compiled graph with its weights packed in memory, ready to run: nothing on disk.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "ir/weights.h"
#include "runtime/session.h"

namespace lmc {

class MemoryProgram {
 public:
  // Packs with as many threads as the session will run. `source` is not needed afterwards. Interrupted where
  // Ctrl-C comes while packing.
  MemoryProgram(CodegenResult code, const WeightSource& source, const SessionOptions& options,
                ColumnImportance importance = {});

  Session& session() { return *session_; }
  const CodegenResult& code() const { return code_; }
  // That the session reads, by its place in the plan.
  std::vector<std::byte>& weight(size_t i) { return weights_[i]; }

 private:
  CodegenResult code_;
  LoadedKernels kernels_;
  std::vector<std::vector<std::byte>> weights_;
  std::unique_ptr<Session> session_;
};

// The kernels of all steps' stages.
PlanKernels find_kernels(const LoadedKernels& kernels, const Plan& plan);

// Fills the memory of each of the packer's weights.
void pack_weights(const WeightPacker& packer, const std::vector<std::byte*>& to, int threads);

}  // namespace lmc
