// The calling convention between emitted kernels and the runtime. Plain C layout: the emitter writes the same
// struct in LLVM IR (codegen/kernels/builder.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace lmc {

// Bytes that a kernel may read past the end of anything it reads: it loads whole vectors. Whoever allocates a
// weight, a buffer or scratch makes so many more of them readable.
inline constexpr int64_t kReadPastEnd = 64;

// The parts of an attention kernel that one compiled for measuring tells apart.
enum class AttentionPart : uint8_t { scores, softmax, values };  // QKᵀ, softmax, AV
inline constexpr size_t kAttentionParts = 3;

// The largest logit of one tile of the kernel that makes them, and its index: the lowest among equals. NaN
// where one of the tile's logits is NaN or +inf.
struct TileArgmax {
  float value;
  int32_t id;
};

// Neighbouring rows of a step: tokens of one sequence, at positions that follow each other.
struct RowSpan {
  int64_t first;
  int64_t count;
};
// Rows worked on together read the keys and values of their sequence once; more of them would leave too few
// spans for the threads.
inline constexpr int64_t kMostRowsOfSpan = 8;

// What changes from step to step; one per running session. A step is a row for each of its tokens, of one
// sequence or of any mix of several.
struct StepInfo {
  int64_t tokens;  // T: new tokens in this step, 1 … StepPlan::max_tokens
  int64_t rows;    // R: rows whose logits are wanted, 0 … tokens
  // Where kernels compiled for measuring add up their cycles, per AttentionPart; others never look.
  int64_t* cycles = nullptr;
  // Counts the steps of an executor from 1; 0 where nobody counts. What a worker keeps in front of its
  // scratch holds for the stage and the step that made it.
  int64_t serial = 0;
  // In a step that asks for no more than the likeliest token of each wanted row: [rows][tiles of
  // StepPlan::argmax_stage], which then writes no logits.
  TileArgmax* argmax = nullptr;
  // Which ids may be chosen, id i by bit i % 8 of byte i / 8; null: all. Readable and zero for whole groups
  // of weight rows, and kReadPastEnd bytes, beyond the vocabulary. Logits of others are left as they are, or
  // written nevertheless; `argmax` passes over them.
  const uint8_t* allowed = nullptr;
  // Per token: where the pages of its sequence's caches lie (ir/cache_layout.h). An operand in Space::kv is
  // no address but the number of its cache's first page in that list, the others follow; behind the last
  // page of all comes another entry, which may be asked for in advance and is never read.
  std::byte* const* const* caches = nullptr;
  // The tokens once more, in pieces that may be worked on together; every token in one of them. Kernels for
  // one token never look.
  const RowSpan* spans = nullptr;
  int64_t span_count = 0;
};

// One tile of one kernel. `next` is the tile that the same worker probably runs after this one, or -1:
// kernels may ask for its memory in advance. `operands[i]` is the base address of operand i of the stage,
// `scratch` at least StepPlan::scratch_bytes, aligned to 64, owned by the calling thread for the duration of
// the call; in front of it lie StepPlan::kept_bytes, zero at first, which nobody changes between two calls
// with the same scratch but the kernels themselves. A tile that lies beyond the step's tokens returns at
// once. Kernels never call out, never fail, never allocate.
using KernelFn = void (*)(void* const* operands, const StepInfo* step, int64_t tile, int64_t next,
                          void* scratch);

}  // namespace lmc
