// The calling convention between emitted kernels and the runtime. Plain C layout: the emitter writes the same
// struct in LLVM IR (codegen/kernels/builder.cpp).
#pragma once

#include <cstdint>

namespace lmc {

// What changes from step to step; one per running session.
struct StepInfo {
  int64_t tokens;  // T: new tokens in this step, 1 … StepPlan::max_tokens
  int64_t rows;    // R: rows whose logits are wanted, 0 … tokens
};

// One tile of one kernel. `next` is the tile that the same worker probably runs after this one, or -1:
// kernels may ask for its memory in advance. `operands[i]` is the base address of operand i of the stage,
// `scratch` at least StepPlan::scratch_bytes, aligned to 64, owned by the calling thread for the duration of
// the call. A tile that lies beyond the step's tokens returns at once. Kernels never call out, never fail,
// never allocate.
using KernelFn = void (*)(void* const* operands, const StepInfo* step, int64_t tile, int64_t next,
                          void* scratch);

}  // namespace lmc
