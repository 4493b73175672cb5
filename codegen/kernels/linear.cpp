// Rows live in lanes and k runs in order: each output element is one chain of fused multiply-adds, block by
// block, whatever the tiling, the number of tokens in flight or of threads. Same sums, same bits.
//
// Bound by memory (one token, or few) a core walks four streams in step: each is a quarter of the tile, group
// of 8 weight rows after group, so that it runs straight through memory. It asks for what a stream will need
// some kilobytes later, across the border to the next tile: that keeps enough cache lines in flight to reach
// the memory limit. Bound by arithmetic (many tokens) it holds one group against 8 tokens.
//
// Projections by experts (linear_experts) are the same work with the weight's address computed from the
// token's choice: a tile belongs to one place j among the experts of a token, and walks the tokens one by
// one.
#include "codegen/kernels/linear.h"

#include <optional>

#include "codegen/kernels/quantize.h"
#include "codegen/kernels/ranking.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/weight_layout.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kStreams = 4;
constexpr int64_t kGroupsPerBlock = kQ8Block / kLanes;
constexpr int64_t kPrefetchBytes = 2304;  // ahead in a stream; 1.3 to 2.7 KB measured alike, 8 loses a tenth
constexpr int64_t kTokenBlock = 8;        // tokens in registers when there are many

// Of weight-row groups × tokens: accumulators, or results.
using Tile = std::vector<std::vector<Value*>>;

// Groups of 8 weight rows (of each half, where there are two) that are worked on in step.
struct Groups {
  Value* first;
  int64_t width = 1;
  Value* apart = nullptr;  // groups from one to the next; null: neighbours
};

class LinearEmitter {
 public:
  LinearEmitter(KernelBuilder& builder, const Stage& s)
      : k(builder), b(builder.ir()), stage(s), g(*s.graph), op(g.op(s.core)) {
    const Type& w = g.type(op.operands[1]);
    by_experts_ = by_experts(g, op);
    rows_ = w.dims[by_experts_ ? 1 : 0];
    cols_ = w.last();
    layout_ = find_weight_layout(s.slots.at(op.operands[1]).layout);
    quantised_ = is_quantised(layout_->dtype());
    group_bytes_ = layout_->group_bytes(cols_);
    parts_ = stage.halves.empty() ? 1 : 2;
    groups_ = (rows_ + 7) / 8 / parts_;
    at_once_ = quantised_ ? builder.target().groups_at_once() : 1;
  }

  void emit() {
    weights_ = k.operand(slot(1).operand);
    limit_ = stage.over_rows ? k.rows() : k.tokens();
    place_ = k.i64(0);
    Value* tile = k.tile();
    Value* next = k.next();
    has_next_ = b.CreateICmpSGE(next, k.i64(0));
    if (by_experts_) {  // the next tile's weights are known to be near only if it has the same place
      Value* tiles = k.i64((groups_ + stage.groups_per_tile - 1) / stage.groups_per_tile);
      place_ = b.CreateUDiv(tile, tiles);
      has_next_ = b.CreateAnd(has_next_, b.CreateICmpEQ(b.CreateUDiv(next, tiles), place_));
      tile = b.CreateURem(tile, tiles);
      next = b.CreateURem(next, tiles);
    }
    Value* first = k.mul(tile, stage.groups_per_tile);
    Value* end = end_ = k.min(k.add(first, k.i64(stage.groups_per_tile)), k.i64(groups_));
    first_ = first;
    next_first_ = k.mul(next, stage.groups_per_tile);
    if (stage.single) {
      only_ = k.i64(0);
      k.if_then(b.CreateICmpSGT(limit_, k.i64(0)), [&] {
        if (!stage.prologue.empty()) emit_prologue(k, stage);
        if (stage.ranked.valid()) ranking_.emplace(k, rows_);
        one_token(first, end);
        if (ranking_) ranking_->finish();
      });
    } else if (by_experts_) {
      k.loop(k.i64(0), limit_, 1, [&](Value* token) {
        only_ = token;
        one_token(first, end);
      });
    } else {
      Value* few = b.CreateICmpSLT(limit_, k.i64(kTokenBlock));
      k.if_then(few, [&] { streams(first, end, halving(kTokenBlock * at_once_ / kStreams)); });
      k.if_then(b.CreateNot(few), [&] { blocks(first, end); });
    }
    k.finish();
  }

 private:
  const Slot& slot(size_t operand) const { return stage.slots.at(op.operands[operand]); }

  // The token `only_`, by the weights of its expert if it has chosen one.
  void one_token(Value* first, Value* end) {
    Value* stack = weights_;
    if (by_experts_) {
      RowEmitter e(k, stage, only_);
      Value* id = k.load(b.getInt32Ty(), k.at(e.address(op.operands[2]), k.mul(place_, 4)), 4);
      weights_ = k.at(stack, k.mul(b.CreateSExt(id, b.getInt64Ty()), parts_ * groups_ * group_bytes_));
    }
    streams(first, end, {1});
  }

  // 8 → 8, 4, 2, 1
  static std::vector<int64_t> halving(int64_t from) {
    std::vector<int64_t> out;
    for (; from > 0; from /= 2) out.push_back(from);
    return out;
  }

  // Four streams, two in each half where there are two; what is left over one group at a time.
  void streams(Value* first, Value* end, const std::vector<int64_t>& token_sizes) {
    const int64_t ways = kStreams / parts_;
    Value* share = b.CreateUDiv(b.CreateSub(end, first), k.i64(ways));
    const auto walk = [&](Value* from, Value* to, Groups groups) {
      stream_end_ = to;
      k.loop(from, to, 1, [&](Value* group) {
        groups.first = group;
        token_blocks(groups, token_sizes);
      });
    };
    walk(first, k.add(first, share), {nullptr, ways, share});
    walk(k.add(first, k.mul(share, ways)), end, {nullptr});
    if (!stage.quantised.valid()) return;
    k.loop(only_ ? only_ : k.i64(0), only_ ? k.add(only_, k.i64(1)) : limit_, 1, [&](Value* token) {
      k.loop(first, end, kGroupsPerBlock,
             [&](Value* group) { quantise_from_scratch(group, scratch_row(token), token); });
    });
  }

  // As many groups as registers allow against 8 tokens; four together where their outputs are quantised.
  void blocks(Value* first, Value* end) {
    streaming_ = false;
    const int64_t width = stage.quantised.valid() ? kGroupsPerBlock : at_once_;
    Value* whole = k.add(first, b.CreateAnd(b.CreateSub(end, first), k.i64(-width)));
    k.loop(first, whole, width, [&](Value* group) { token_blocks({group, width}, halving(kTokenBlock)); });
    if (stage.quantised.valid() || width == 1) return;
    k.loop(whole, end, 1, [&](Value* group) { token_blocks({group}, halving(kTokenBlock)); });
  }

  // All tokens against these groups, in blocks of the given sizes. The weights stay in cache meanwhile.
  void token_blocks(const Groups& groups, const std::vector<int64_t>& sizes) {
    if (only_) return compute_and_store(groups, only_, 1);
    Value* at = k.variable(k.i64(0));
    for (int64_t m : sizes) {
      Value* start = k.get(at);
      Value* end = k.add(start, b.CreateAnd(b.CreateSub(limit_, start), k.i64(-m)));
      k.loop(start, end, m, [&](Value* t) {
        if (streaming_ || m * groups.width <= kTokenBlock * at_once_) {
          compute_and_store(groups, t, m);
        } else {
          group_by_group(groups, t, m);
        }
      });
      k.set(at, end);
    }
  }

  // Results of all groups in registers at once. A stream's go through the scratch if they are to be
  // quantised: neighbouring groups, which share a block, are computed at different times.
  void compute_and_store(const Groups& groups, Value* token, int64_t tokens) {
    const auto outputs = compute(groups, token, tokens);
    if (!stage.quantised.valid()) return;
    for (int64_t m = 0; m < tokens; ++m) {
      Value* t = k.add(token, k.i64(m));
      if (streaming_) {
        for (int64_t i = 0; i < groups.width; ++i)
          k.store(outputs[static_cast<size_t>(i)][static_cast<size_t>(m)],
                  scratch(member(groups, i), scratch_row(t)), 4);
        continue;
      }
      RowEmitter e(k, stage, t);
      std::array<Value*, kGroupsPerBlock> parts;
      for (size_t i = 0; i < parts.size(); ++i) parts[i] = outputs[i][static_cast<size_t>(m)];
      store_quantised(e, stage.quantised, place_, k.mul(groups.first, kLanes), parts);
    }
  }

  // More than registers hold: some groups after the others, through the scratch.
  void group_by_group(const Groups& groups, Value* token, int64_t tokens) {
    k.loop(k.i64(0), k.i64(groups.width), at_once_, [&](Value* i) {
      Value* group = k.add(groups.first, i);
      const auto outputs = compute({group, at_once_}, token, tokens);
      for (int64_t n = 0; n < at_once_; ++n) {
        for (int64_t m = 0; m < tokens; ++m)
          k.store(outputs[static_cast<size_t>(n)][static_cast<size_t>(m)],
                  scratch(k.add(group, k.i64(n)), k.i64(m)), 4);
      }
    });
    k.loop(k.i64(0), k.i64(tokens), 1,
           [&](Value* m) { quantise_from_scratch(groups.first, m, k.add(token, m)); });
  }

  // Where the scratch, f32 [tokens][rows of the tile], holds results of a group.
  Value* scratch(Value* group, Value* row) {
    Value* column = k.mul(b.CreateSub(group, first_), kLanes * 4);
    return k.at(k.scratch(), k.add(k.mul(row, stage.groups_per_tile * kLanes * 4), column));
  }

  // A stream's tokens have a row each; one alone needs one.
  Value* scratch_row(Value* token) { return only_ ? k.i64(0) : token; }

  void quantise_from_scratch(Value* group, Value* row, Value* token) {
    RowEmitter e(k, stage, token);
    std::array<Value*, kGroupsPerBlock> parts;
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i] = k.load(k.f32x8(), scratch(k.add(group, k.i64(static_cast<int64_t>(i))), row), 4);
    store_quantised(e, stage.quantised, place_, k.mul(group, kLanes), parts);
  }

  Value* member(const Groups& groups, int64_t i) {
    return k.add(groups.first, groups.apart ? k.mul(groups.apart, i) : k.i64(i));
  }

  // These groups for tokens [token, token + tokens): returns, per group and token, what is to be quantised.
  // Where the epilogue combines both halves of the rows (gate and up), streams walk them together; else the
  // second half's groups follow the first's.
  Tile compute(const Groups& groups, Value* token, int64_t tokens) {
    RowEmitter x(k, stage, token);
    Value* of_place = k.i64(0);
    if (g.type(op.operands[0]).rank() == 3) {  // each place has a row of its own
      const int64_t apart = slot(0).sub_row ? slot(0).sub_row : cols_;
      of_place = k.mul(place_, quantised_ ? quantised_bytes(cols_) : apart * 4);
    }
    std::vector<Value*> xs;
    for (int64_t m = 0; m < tokens; ++m)
      xs.push_back(k.at(x.address(op.operands[0], k.add(token, k.i64(m))), of_place));

    Tile sums;  // parts × groups
    std::vector<Value*> w;
    for (int64_t part = 0; part < parts_; ++part) {
      for (int64_t i = 0; i < groups.width; ++i) {
        Value* row_group = k.add(member(groups, i), k.i64(part * groups_));
        w.push_back(k.at(weights_, k.mul(row_group, group_bytes_)));
        auto& row = sums.emplace_back();
        for (int64_t m = 0; m < tokens; ++m) row.push_back(k.variable(k.splat(0.0)));
      }
    }
    const size_t step = streaming_ ? w.size() : static_cast<size_t>(groups.width);
    for (size_t from = 0; from < w.size(); from += step) {
      const auto slice = [&](const auto& all) {
        const auto begin = all.begin() + static_cast<ptrdiff_t>(from);
        return std::decay_t<decltype(all)>(begin, begin + static_cast<ptrdiff_t>(step));
      };
      Value* jump =
          streaming_ ? stream_jump(groups.first) : block_jump(groups, static_cast<int64_t>(from / step));
      Contraction c{slice(w), xs, slice(sums), cols_, {}};
      c.prefetch = [&](Value* offset, int64_t bytes) {
        if (streaming_) {
          prefetch_stream(c.w, offset, bytes, jump);
        } else if (quantised_) {  // others are bound by arithmetic all the more
          for (Value* group : c.w) prefetch_next_group(group, token, offset, bytes, jump);
        }
      };
      layout_->emit_dots(k, c);
    }
    Tile outputs(static_cast<size_t>(groups.width));
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (size_t m = 0; m < xs.size(); ++m) {
        std::vector<Value*> results;
        for (size_t row = i; row < sums.size(); row += outputs.size()) results.push_back(k.get(sums[row][m]));
        outputs[i].push_back(epilogue(member(groups, static_cast<int64_t>(i)),
                                      k.add(token, k.i64(static_cast<int64_t>(m))), results));
      }
    }
    return outputs;
  }

  // From the end of a stream's group to where it goes on: right there, or, at the end of the tile, in the
  // worker's next one. Without one, back to what is in cache already.
  Value* stream_jump(Value* group) {
    Value* follows = k.add(group, k.i64(1));
    Value* next_tile = b.CreateSelect(has_next_, next_first_, group);
    Value* target = b.CreateSelect(b.CreateICmpSGE(follows, stream_end_), next_tile, follows);
    return k.mul(b.CreateSub(target, follows), group_bytes_);
  }

  // The same for blocks of tokens: the other half, the next groups, or the next tile.
  Value* block_jump(const Groups& groups, int64_t part) {
    if (part + 1 < parts_) return k.i64((groups_ - 1) * group_bytes_);
    const int64_t back = part * groups_ + 1;  // groups from the end of this one to the start of the first
    Value* here = k.add(groups.first, k.i64(back));
    Value* next_tile = b.CreateSelect(has_next_, next_first_, groups.first);
    Value* follows = k.add(groups.first, k.i64(groups.width));
    Value* target = b.CreateSelect(b.CreateICmpSGE(follows, end_), next_tile, follows);
    return k.mul(b.CreateSub(target, here), group_bytes_);
  }

  // Some way ahead in each stream; past the end of a group, where the stream goes on.
  void prefetch_stream(const std::vector<Value*>& w, Value* offset, int64_t bytes, Value* jump) {
    const int64_t ahead = std::min(kPrefetchBytes / bytes * bytes, group_bytes_);
    Value* beyond = b.CreateICmpSGE(offset, k.i64(group_bytes_ - ahead));
    Value* there = k.add(k.add(offset, k.i64(ahead)), b.CreateSelect(beyond, jump, k.i64(0)));
    for (Value* group : w) {
      for (int64_t line = 0; line < bytes; line += 64) k.prefetch(k.at(k.at(group, there), line));
    }
  }

  // While some groups serve all tokens, the next ones come: each block of tokens asks for an eighth of them,
  // or, if there are only one or two, for all.
  void prefetch_next_group(Value* group, Value* token, Value* offset, int64_t bytes, Value* jump) {
    Value* next = k.add(jump, k.i64(group_bytes_));
    k.if_then(b.CreateICmpSLE(limit_, k.i64(2 * kTokenBlock)), [&] {
      Value* here = k.at(group, k.add(next, offset));
      for (int64_t line = 0; line < bytes; line += 64) k.prefetch(k.at(here, line));
    });
    const int64_t eighth = (group_bytes_ / 8 + 63) / 64 * 64;
    Value* ahead = k.add(k.mul(b.CreateUDiv(token, k.i64(kTokenBlock)), eighth), b.CreateLShr(offset, 3));
    k.prefetch(k.at(group, k.add(next, ahead)));
  }

  // Bias and elementwise ops on 8 outputs of one token (8 of each half, where there are two); stores what
  // later stages read. Returns what is to be quantised, if anything.
  Value* epilogue(Value* group, Value* token, std::vector<Value*> sums) {
    RowEmitter e(k, stage, token);
    Value* zero = k.i64(0);
    Value* column = k.mul(group, kLanes);
    for (size_t part = 0; part < sums.size(); ++part) {
      if (op.operands.size() > 2 && !by_experts_) {
        Value* at = k.add(column, k.i64(static_cast<int64_t>(part) * groups_ * kLanes));
        sums[part] = b.CreateFAdd(sums[part], e.lanes(op.operands[2], zero, at));
      }
      e.bind(parts_ == 1 ? op.results[0] : stage.halves[part], sums[part]);
    }
    const int64_t outputs = parts_ == 1 ? rows_ : rows_ / 2;
    for (ValueId v : stage.stores) {
      if (v == stage.quantised) continue;
      Value* y = sums[0];
      if (v != op.results[0]) {  // not through its own slot: that is where it goes
        const Op& last = *g.def_op(v);
        std::vector<Value*> operands;
        for (ValueId o : last.operands) operands.push_back(e.lanes(o, place_, column));
        y = find_row_op(last.def->name)->lanes(k, last, operands);
        e.bind(v, y);
      }
      Value* element = by_experts_ ? k.add(k.mul(place_, outputs), column) : column;
      const auto store = [&] { store_outputs(y, k.at(e.address(v), k.mul(element, 4)), column, outputs); };
      if (v == stage.ranked) {
        ranking_->see(y, column);
        k.if_then(b.CreateNot(ranking_->wanted()), store);
      } else {
        store();
      }
    }
    return stage.quantised.valid() ? e.lanes(g.def_op(stage.quantised)->operands[0], place_, column)
                                   : nullptr;
  }

  void store_outputs(Value* y, Value* to, Value* column, int64_t outputs) {
    if (outputs % kLanes == 0) return k.store(y, to, 4);
    Value* columns = b.CreateAdd(b.CreateVectorSplat(kLanes, column), k.lane_ids());
    k.store_masked(y, to, b.CreateICmpSLT(columns, b.CreateVectorSplat(kLanes, k.i64(outputs))));
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const Stage& stage;
  const Graph& g;
  const Op& op;
  const WeightLayout* layout_;
  int64_t rows_, cols_, group_bytes_;
  int64_t parts_, groups_;  // groups of each part
  int64_t at_once_;         // groups in registers against 8 tokens
  bool streaming_ = true;   // bound by memory: prefetch in every stream
  bool quantised_;
  bool by_experts_;           // linear_experts
  Value* place_ = nullptr;    // which of a token's experts; 0 for others
  Value* only_ = nullptr;     // the token, where one alone is worked on
  Value* weights_ = nullptr;  // of that expert
  Value* limit_ = nullptr;
  // Of the tile, in groups.
  Value *first_ = nullptr, *end_ = nullptr, *has_next_ = nullptr, *next_first_ = nullptr;
  Value* stream_end_ = nullptr;     // where the first stream's share ends
  std::optional<Ranking> ranking_;  // of the logits
};

}  // namespace

int64_t linear_scratch_bytes(int64_t groups_per_tile) { return kTokenBlock * groups_per_tile * kLanes * 4; }

void emit_linear_kernel(KernelBuilder& k, const Stage& stage) { LinearEmitter(k, stage).emit(); }

}  // namespace lmc
