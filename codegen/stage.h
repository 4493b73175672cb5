// A stage: one kernel launch, between the planner that decides it and the emitters that write it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/cache_layout.h"
#include "ir/graph.h"
#include "ir/plan.h"

namespace lmc {

// Where a value lives while a stage runs: `operand` of the launch (or the scratch), plus offset + row *
// stride.
struct Slot {
  static constexpr int kScratch = -1;

  int operand = kScratch;
  int64_t offset = 0;   // bytes
  int64_t stride = 0;   // bytes from one token's row to the next; 0 for weights and scratch
  std::string layout;   // how the numbers are stored: "f32", "i32", "q8_0", "bf16", "q8_0.rows8", "kv", …
  int64_t sub_row = 0;  // elements from one sub-row to the next, if that is more than a sub-row has
};

enum class StageKind : uint8_t { row, linear, attention };

struct Stage {
  StageKind kind = StageKind::row;
  const Graph* graph = nullptr;  // flat: groups are inlined
  std::vector<OpId> ops;         // topological; for linear: core and its elementwise epilogue
  // linear for one token: row ops in front of it, which every worker runs before its first tile, into memory
  // of its own in front of the scratch (negative offsets).
  std::vector<OpId> prologue;
  std::map<ValueId, Slot> published;  // results of the prologue that others read: tile 0 copies them there
  OpId core;                          // linear and attention
  bool over_rows = false;             // runs over R (rows wanted) instead of T (new tokens)
  bool single = false;                // at most one token: no loop over tokens
  std::map<ValueId, Slot> slots;      // every value read from or written to memory
  std::vector<ValueId> stores;        // values this stage writes (they have slots)
  int64_t tokens_per_tile = 1;        // row and attention stages
  bool timed = false;                 // attention: counts its cycles (StepInfo::cycles)
  int64_t splits = 1;                 // attention_split: tiles that share a kv head's chunks
  int64_t groups_per_tile = 1;        // linear: groups of 8 weight rows (of each half)
  // linear: its output's two halves (gate and up), where the epilogue combines them; else empty.
  std::vector<ValueId> halves;
  ValueId quantised;  // linear: result of a quantize in its epilogue
  ValueId ranked;     // linear: the step's logits, if it can name the largest instead (StepInfo::best)
  int64_t scratch_bytes = 0;
  std::map<ValueId, PlanCache> caches;  // of the kv values in `slots`

  PlanStage plan;  // symbol, tiles, operands, … as the runtime sees it

  // In the order they run.
  std::vector<OpId> all_ops() const {
    std::vector<OpId> out = prologue;
    out.insert(out.end(), ops.begin(), ops.end());
    return out;
  }
};

// Does the contraction choose its weight per token, out of a stack of matrices (linear_experts)?
inline bool by_experts(const Graph& g, const Op& core) { return g.type(core.operands[1]).rank() == 3; }

// Bytes of one token's row of an activation, padded so that whole vectors may be read and written.
int64_t row_bytes(const Type& type);
// Of that, bytes of a quantised sub-row (of the last dimension): its values, then what belongs to the blocks.
int64_t quantised_bytes(int64_t length);

// In front of the scratch: what the kept prologue belongs to (the stage's operands, StepInfo::serial).
inline constexpr int64_t kKeptHeader = 64;

// The cache is worked on in chunks at absolute positions, whatever the step: same sums, same bits. A ring
// holds whole blocks, so that a block is contiguous.
inline constexpr int64_t kAttentionChunk = 128;
inline constexpr int64_t kAttentionBlock = 64;

}  // namespace lmc
