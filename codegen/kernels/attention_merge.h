// Merging of attention over chunks: the same arithmetic whether a chunk is merged at once or by a later
// kernel.
#pragma once

#include "codegen/attention_chunks.h"
#include "codegen/kernels/builder.h"
#include "ir/type.h"

namespace lmc {

inline constexpr double kNothing = -1e30;  // smaller than any score, and finite: no inf - inf

// What merging a chunk of maximum m into earlier ones of maximum M multiplies both with:
// fade = exp(M - max(M, m)) for what was there, gain = exp(m - max(M, m)) for the chunk.
struct MergeFactors {
  llvm::Value *maximum, *fade_scalar, *gain_scalar;
  llvm::Value *fade, *gain;  // 8 equal lanes
};
MergeFactors merge_factors(KernelBuilder& k, llvm::Value* before, llvm::Value* chunk);

// before * fade + chunk * gain
llvm::Value* merge(KernelBuilder& k, llvm::Value* before, llvm::Value* chunk, llvm::Value* fade,
                   llvm::Value* gain);

// Result row of attention_split: per head and chunk the maximum, the sum, 6 unused floats, then the weighted
// values.
struct AttentionPartials {
  static constexpr int64_t kHeader = 32;  // bytes before the values

  AttentionPartials(const Type& type, int64_t value_dim)
      : chunks(type.dims[2]), bytes(kHeader + (value_dim + 7) / 8 * 8 * 4) {}
  int64_t chunks;  // of a head
  int64_t bytes;   // of one chunk
};

}  // namespace lmc
