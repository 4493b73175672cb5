// The plan: what the code generator made of a graph, as plain data. The runtime executes it knowing neither
// graph nor compiler; plan.json in a bundle is exactly this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/type.h"

namespace lmc {

// Where an operand of a kernel lives.
enum class Space : uint8_t {
  arena,   // step buffers; offset into the arena
  weight,  // packed weights; `index` = Plan::weights
  kv,      // caches; `index` = Plan::caches; which sequence's, StepInfo::caches says row by row
  input,   // `index` = StepInput
  output,  // what the step is for: f32[max rows, vocab], row-major; Plan::hidden: f32[max rows, hidden_size]
};

// i32[max_tokens] each: a row's token, its position in its sequence, which rows' logits are wanted, and how
// many positions the row's sequence has in all (Sequence, runtime/sequence.h).
enum class StepInput : uint8_t { tokens, pos, out_rows, length };
inline constexpr size_t kStepInputs = 4;

struct PlanOperand {
  Space space = Space::arena;
  int64_t index = 0;
  int64_t offset = 0;    // bytes from the start of that space's object
  bool written = false;  // does the stage write it?
  int64_t bytes = 0;     // how much of it the stage may touch (arena: the buffer's size)
  int64_t buffer = -1;   // arena: index into StepPlan::buffers
};

// Elementwise and row ops, per token.
struct RowWork {
  double ops = 0;   // as OpDef::flops counts them
  double exps = 0;  // exponentials, sines and the like (OpDef::exps)
};

// Attention, per token and position that it sees; all 0 in other kernels.
struct AttentionWork {
  double flops = 0, bytes = 0;  // of all heads; K and V
  int64_t span = 0;             // most positions that a token sees
  int64_t kv_heads = 0;
  int64_t chunk = 0;  // positions that one tile takes in; 0: all of them
};

// What a kernel computes, for reports: labels are made of this, nobody takes one apart.
struct StageWork {
  std::string family;           // of kernels: "linear", "row", "attention", …
  std::string core;             // the op it is built around; "" for rows of elementwise and row ops
  std::string role;             // of the core: "ffn_down"; "" if it has none
  std::vector<int64_t> input;   // dimensions of the core's first operand; the first is T or R (or 1)
  std::vector<int64_t> weight;  // … of its weight, if it has one
  std::optional<DType> format;  // … of its weight
  int64_t heads = 0;            // query heads of an attention
  bool over_rows = false;       // its rows are those whose logits are wanted (R), not the step's tokens (T)
  std::vector<std::string> ahead;   // ops in front of the core, or all ops of a row kernel
  std::vector<std::string> behind;  // ops behind the core
  std::vector<int32_t>
      ops;  // Op::source of everything it computes: the core first; statements of the bundle's model.lmir
  double weight_bytes = 0;  // read by the whole stage
  double flops = 0;         // per token
  // What takes the time (ir/cost.h): of `flops`, those of the contraction, then what is done beside it,
  // shared by the tiles, then what every worker does for itself in front of its first tile.
  double products = 0;
  RowWork rows, prologue;
  AttentionWork attention;
};

// What follows a kernel on every rank: of each row of what it has written, the ranks have a part each, one
// behind the other, and get the others'.
struct PlanGather {
  std::vector<int64_t> bytes;  // of a row, by rank; 0: that one has no part
  int64_t rank = 0;            // whose plan it is
  int64_t stride = 0;          // from one row to the next
  std::vector<int64_t> to;     // the ranks that get it; empty: all

  bool gets(int64_t r) const { return to.empty() || std::find(to.begin(), to.end(), r) != to.end(); }
};

// A kernel launch: `tiles` calls of one function, in any order and in parallel.
struct PlanStage {
  std::string symbol;  // function in kernels.o
  std::string scope;   // "layers.0.ffn"
  StageWork work;
  int64_t tiles = 1;
  std::vector<PlanOperand> operands;
  std::vector<int32_t>
      deps;  // stages that must be finished before any tile of this one (transitively reduced)
  std::optional<PlanGather> gather =
      std::nullopt;  // of its one tile and one output; collectives have one order
};

struct PlanBuffer {
  std::string name;
  int64_t bytes = 0;
  int64_t offset = 0;  // in the arena
};

// The step for up to `max_tokens` new tokens.
struct StepPlan {
  int64_t max_tokens = 1;
  int64_t max_rows = 1;  // most rows of logits in one step
  int64_t arena_bytes = 0;
  int64_t scratch_bytes = 0;  // per worker
  int64_t kept_bytes = 0;     // per worker, in front of the scratch: results of prologues
  std::vector<PlanBuffer> buffers;
  std::vector<PlanStage> stages;  // in a topological order
  int64_t argmax_stage = -1;      // the stage that can fill StepInfo::argmax, of this rank's logits; -1: none
};

struct PlanWeight {
  std::string name;
  std::string layout;  // as its `pack` says
  Type type;           // logical
  int64_t bytes = 0;
};

// A cache: K and V of one layer, or rows without keys (one head, key_dim 0). `capacity` positions are kept in
// a ring (position p sits in slot p % capacity) of whole pages (ir/cache_layout.h); capacity >= span + the
// largest step, so that a block's first token still sees its whole window. Of a state (state_f32) the last
// few positions are kept: tokens add to it in order, and nothing later looks at what a block has passed.
struct PlanCache {
  std::string name;
  DType dtype = DType::kv_f16;
  int64_t span = 0;
  int64_t capacity = 0;
  int64_t kv_heads = 0;
  int64_t key_dim = 0, value_dim = 0;  // of a head
  int64_t bytes = 0;
};

struct Plan {
  std::string target;  // "avx2"
  std::string model;
  int64_t context = 0;  // most positions of a sequence
  int64_t vocab = 0;
  // Sequences of more positions have other rope factors, from the first position on (longrope); 0: none have.
  int64_t rope_border = 0;
  int64_t ranks = 1, rank = 0;  // how many run the model together, and whose plan it is
  std::vector<PlanWeight> weights;
  std::vector<PlanCache> caches;
  StepPlan decode;   // T = 1
  StepPlan prefill;  // T <= prefill.max_tokens
  // As prefill, but with the last hidden states, those that logits are made of, for logits. No stages, and a
  // size of 0, where nobody asked for it when compiling.
  StepPlan hidden;
  int64_t hidden_size = 0;
  // As decode, on the same caches, from fewer bytes of the weights: logits to guess from. No stages where
  // nobody asked for it.
  StepPlan draft;
};

}  // namespace lmc
