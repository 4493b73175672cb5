// Rows live in lanes and k runs in order: each output element is one chain of fused multiply-adds, block by
// block, whatever the tiling, the rows of a group, the number of tokens in flight or of threads. Same sums,
// same bits. How many rows a group has is the layout's to say; what follows the sums is computed for 8 of
// them at a time.
//
// Bound by memory (one token, or few) a core walks four streams in step: each is a quarter of the tile, group
// of weight rows after group, so that it runs straight through memory. It asks for what a stream will need
// some kilobytes later, across the border to the next tile: that keeps enough cache lines in flight to reach
// the memory limit. Bound by arithmetic (many tokens) it holds one group against 8 tokens.
//
// Projections by experts (linear_experts) are the same work for the rows of one expert (linear_rows.h).
#include "codegen/kernels/linear.h"

#include <functional>
#include <optional>

#include "codegen/kernels/allowed_rows.h"
#include "codegen/kernels/argmax.h"
#include "codegen/kernels/linear_prefetch.h"
#include "codegen/kernels/linear_rows.h"
#include "codegen/kernels/quantize.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/weight_layout.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

constexpr int64_t kStreams = 4;
constexpr int64_t kWorthABlock = 5;  // rows left over that are

// Of weight-row groups × activation rows: accumulators; or of eights of outputs × activation rows: results.
using Tile = std::vector<std::vector<llvm::Value*>>;

// The outputs that are quantised together, by eights.
using Block = std::array<llvm::Value*, kQ8Block / kLanes>;

// Groups of weight rows (of each half, where there are two) that are worked on in step.
struct Groups {
  llvm::Value* first;
  int64_t width = 1;
  llvm::Value* apart = nullptr;  // groups from one to the next; null: neighbours
};

// Scratch for results that are to be quantised: f32 [rows of activations in registers][outputs of a tile].
// The same for all targets, of which one may have a matrix unit.
int64_t results_bytes(const LinearForm& form) {
  const int64_t rows = std::max(kRowBlock, MatrixUnit::kTokens);
  return form.quantised.valid() ? rows * form.frame.spec.grain * form.layout->group_rows() * 4 : 0;
}

class LinearEmitter {
 public:
  LinearEmitter(KernelBuilder& builder, const LinearForm& f)
      : k(builder), b(builder.ir()), form(f), frame(f.frame), g(f.frame.g), op(f.op()) {
    by_experts_ = f.experts;
    layout_ = f.layout;
    outputs_ = f.outputs;
    cols_ = f.cols;
    parts_ = f.parts();
    groups_ = f.groups();
    quantised_ = is_quantised(layout_->dtype());
    group_bytes_ = layout_->group_bytes(cols_);
    group_rows_ = layout_->group_rows();
    row_block_ = by_experts_ ? kRowBlock : layout_->rows_at_once(builder.target());
    at_once_ = quantised_ ? std::max<int64_t>(builder.target().rows_at_once() / group_rows_, 1) : 1;
  }

  void emit() {
    weights_ = k.operand(slot(1).operand);
    llvm::Value* tokens = frame.over_rows ? k.rows() : k.tokens();
    llvm::Value* tile = k.tile();
    llvm::Value* next = k.next();
    llvm::Value* has_next = b.CreateICmpSGE(next, k.i64(0));
    llvm::Value* share = nullptr;
    if (by_experts_) {  // the next tile's weights are known to be near only if it has the same share
      llvm::Value* tiles = k.i64((groups_ + frame.spec.grain - 1) / frame.spec.grain);
      share = b.CreateUDiv(tile, tiles);
      has_next = b.CreateAnd(has_next, b.CreateICmpEQ(b.CreateUDiv(next, tiles), share));
      tile = b.CreateURem(tile, tiles);
      next = b.CreateURem(next, tiles);
    }
    llvm::Value* first = first_ = k.mul(tile, frame.spec.grain);
    llvm::Value* end = k.min(k.add(first, k.i64(frame.spec.grain)), k.i64(groups_));
    prefetch_.emplace(k, LinearPrefetch::Tile{end, has_next, k.mul(next, frame.spec.grain)}, group_bytes_,
                      parts_, groups_);
    rows_.emplace(k, form, tokens, share, k.at(k.scratch(), results_bytes(form)));
    limit_ = rows_->count();
    if (form.logits.valid()) allowed_.emplace(k, group_rows_);
    if (frame.single()) {
      k.if_then(b.CreateICmpSGT(limit_, k.i64(0)), [&] {
        if (!form.prologue.empty()) emit_prologue(k, frame, form.prologue, form.published);
        if (form.logits.valid()) argmax_.emplace(k, outputs_);
        choose_weights();
        streams(first, end, {1});
        if (argmax_) argmax_->finish();
      });
    } else {
      choose_weights();
      llvm::Value* few = b.CreateICmpSLT(limit_, k.i64(kRowBlock));
      k.if_then(few, [&] { streams(first, end, halving(kRowBlock * at_once_ / kStreams)); });
      k.if_then(b.CreateNot(few), [&] {
        if (row_block_ > kRowBlock) k.target().matrix_unit()->begin(b);
        blocks(first, end);
        if (row_block_ > kRowBlock) k.target().matrix_unit()->end(b);
      });
    }
    k.finish();
  }

 private:
  Slot slot(size_t operand) const { return frame.slot(op.operands[operand]); }

  void choose_weights() {
    if (by_experts_) weights_ = k.at(weights_, k.mul(rows_->expert(), parts_ * groups_ * group_bytes_));
  }

  // 8 → 8, 4, 2, 1
  static std::vector<int64_t> halving(int64_t from) {
    std::vector<int64_t> out;
    for (; from > 0; from /= 2) out.push_back(from);
    return out;
  }

  // Four streams, two in each half where there are two; what is left over one group at a time.
  void streams(llvm::Value* first, llvm::Value* end, const std::vector<int64_t>& sizes) {
    const int64_t ways = kStreams / parts_;
    llvm::Value* share = b.CreateUDiv(b.CreateSub(end, first), k.i64(ways));
    if (allowed_) share = b.CreateSelect(allowed_->sparse(first, end), k.i64(0), share);
    const auto walk = [&](llvm::Value* from, llvm::Value* to, Groups groups) {
      stream_end_ = to;
      k.loop(from, to, 1, [&](llvm::Value* group) {
        groups.first = group;
        if_needed(groups, [&] { row_blocks(groups, sizes); });
      });
    };
    walk(first, k.add(first, share), {nullptr, ways, share});
    walk(k.add(first, k.mul(share, ways)), end, {nullptr});
    if (!form.quantised.valid()) return;
    k.loop(k.i64(0), frame.single() ? k.i64(1) : limit_, 1, [&](llvm::Value* row) {
      k.loop(first, end, groups_per_block(),
             [&](llvm::Value* group) { quantise_from_scratch(group, row, row); });
    });
  }

  // As many groups as registers allow against 8 rows; a block's together where their outputs are quantised.
  void blocks(llvm::Value* first, llvm::Value* end) {
    streaming_ = false;
    const int64_t width = form.quantised.valid() ? groups_per_block() : at_once_;
    llvm::Value* whole = k.add(first, b.CreateAnd(b.CreateSub(end, first), k.i64(-width)));
    k.loop(first, whole, width, [&](llvm::Value* group) {
      if_needed({group, width}, [&] { row_blocks({group, width}, halving(row_block_)); });
    });
    if (form.quantised.valid() || width == 1) return;
    k.loop(whole, end, 1, [&](llvm::Value* group) {
      if_needed({group}, [&] { row_blocks({group}, halving(row_block_)); });
    });
  }

  // Of logits, only neighbours of which one may be chosen; streams of a tile all of whose groups are walked
  // are not looked at.
  void if_needed(const Groups& groups, const std::function<void()>& body) {
    allowed_ && !groups.apart ? allowed_->if_any(groups.first, groups.width, body) : body();
  }

  // All rows against these groups, in blocks of the given sizes. The weights stay in cache meanwhile. An
  // expert's rows come in any number: where five or more are left over, they and the rows in front of them
  // make one more block of 8, which makes the same results again but costs less than blocks of 4, 2 and 1.
  void row_blocks(const Groups& groups, const std::vector<int64_t>& sizes) {
    if (frame.single()) return compute_and_store(groups, k.i64(0), 1);
    llvm::Value* at = k.variable(k.i64(0));
    for (int64_t m : sizes) {
      llvm::Value* start = k.get(at);
      llvm::Value* left = b.CreateSub(limit_, start);
      const bool overlapping = by_experts_ && !streaming_ && m == kRowBlock;
      if (overlapping) left = k.add(left, k.i64(kRowBlock - kWorthABlock));
      llvm::Value* end = k.add(start, b.CreateAnd(left, k.i64(-m)));
      k.loop(start, end, m, [&](llvm::Value* row) {
        if (overlapping) row = k.min(row, b.CreateSub(limit_, k.i64(m)));
        if (streaming_ || groups.width <= at_once_ || m * groups.width <= kRowBlock * at_once_) {
          compute_and_store(groups, row, m);
        } else {
          group_by_group(groups, row, m);
        }
      });
      k.set(at, overlapping ? k.min(end, limit_) : end);
    }
  }

  // Results of all groups in registers at once. A stream's go through the scratch if they are to be
  // quantised: neighbouring groups, which share a block, are computed at different times.
  void compute_and_store(const Groups& groups, llvm::Value* first, int64_t count) {
    const auto outputs = compute(groups, first, count);
    if (!form.quantised.valid()) return;
    for (int64_t m = 0; m < count; ++m) {
      llvm::Value* row = k.add(first, k.i64(m));
      if (streaming_) {
        keep(groups, outputs, m, row);
        continue;
      }
      Block block;
      for (size_t i = 0; i < block.size(); ++i) block[i] = outputs[i][static_cast<size_t>(m)];
      quantise(groups.first, row, block);
    }
  }

  // More than registers hold: some groups after the others, through the scratch.
  void group_by_group(const Groups& groups, llvm::Value* first, int64_t count) {
    k.loop(k.i64(0), k.i64(groups.width), at_once_, [&](llvm::Value* i) {
      llvm::Value* group = k.add(groups.first, i);
      const Groups some{group, at_once_};
      const auto outputs = compute(some, first, count);
      for (int64_t m = 0; m < count; ++m) keep(some, outputs, m, k.i64(m));
    });
    k.loop(k.i64(0), k.i64(count), 1,
           [&](llvm::Value* m) { quantise_from_scratch(groups.first, m, k.add(first, m)); });
  }

  int64_t groups_per_block() const { return kQ8Block / group_rows_; }
  int64_t eights() const { return group_rows_ / kLanes; }  // of a group

  // Where the scratch, f32 [8][outputs of the tile], holds results of a group.
  llvm::Value* scratch(llvm::Value* group, llvm::Value* line) {
    llvm::Value* column = k.mul(b.CreateSub(group, first_), group_rows_ * 4);
    return k.at(k.scratch(), k.add(k.mul(line, frame.spec.grain * group_rows_ * 4), column));
  }

  // Results for activation row `m` into a line of the scratch.
  void keep(const Groups& groups, const Tile& outputs, int64_t m, llvm::Value* line) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const int64_t group = static_cast<int64_t>(i) / eights();
      const int64_t eight = static_cast<int64_t>(i) % eights();
      k.store(outputs[i][static_cast<size_t>(m)],
              k.at(scratch(member(groups, group), line), eight * kLanes * 4), 4);
    }
  }

  void quantise_from_scratch(llvm::Value* group, llvm::Value* line, llvm::Value* row) {
    llvm::Value* from = scratch(group, line);
    Block block;
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = k.load(k.f32x8(), k.at(from, static_cast<int64_t>(i) * kLanes * 4), 4);
    quantise(group, row, block);
  }

  void quantise(llvm::Value* group, llvm::Value* row, const Block& block) {
    const LinearRow at = rows_->at(row);
    RowEmitter e(k, frame, at.token);
    store_quantised(e, form.quantised, at.slot, k.mul(group, group_rows_), block);
  }

  llvm::Value* member(const Groups& groups, int64_t i) {
    return k.add(groups.first, groups.apart ? k.mul(groups.apart, i) : k.i64(i));
  }

  // These groups for rows [first, first + count): returns, per eight outputs and row, what is to be
  // quantised. Where the epilogue combines both halves of the outputs (gate and up), streams walk them
  // together; else the second half's groups follow the first's.
  Tile compute(const Groups& groups, llvm::Value* first, int64_t count) {
    std::vector<llvm::Value*> xs;
    for (int64_t m = 0; m < count; ++m) xs.push_back(activations(k.add(first, k.i64(m))));

    Tile sums;  // parts × groups
    std::vector<llvm::Value*> w;
    for (int64_t part = 0; part < parts_; ++part) {
      for (int64_t i = 0; i < groups.width; ++i) {
        llvm::Value* row_group = k.add(member(groups, i), k.i64(part * groups_));
        w.push_back(k.at(weights_, k.mul(row_group, group_bytes_)));
        auto& row = sums.emplace_back();
        for (int64_t m = 0; m < count; ++m) row.push_back(k.variable(k.splat(k.f32(0), group_rows_)));
      }
    }
    const size_t step = streaming_ ? w.size() : static_cast<size_t>(groups.width);
    for (size_t from = 0; from < w.size(); from += step) {
      const auto slice = [&](const auto& all) {
        const auto begin = all.begin() + static_cast<ptrdiff_t>(from);
        return std::decay_t<decltype(all)>(begin, begin + static_cast<ptrdiff_t>(step));
      };
      llvm::Value* jump =
          streaming_ ? prefetch_->stream_jump(groups.first, stream_end_)
                     : prefetch_->block_jump(groups.first, groups.width, static_cast<int64_t>(from / step));
      Contraction c{slice(w), xs, slice(sums), !by_experts_, cols_, {}};
      c.prefetch = [&](llvm::Value* offset, int64_t bytes) {
        if (streaming_) {
          prefetch_->stream(c.w, offset, bytes, jump);
        } else if (quantised_) {  // others are bound by arithmetic all the more
          prefetch_->next_groups(c.w, first, limit_, offset, bytes, jump);
        }
      };
      layout_->emit_dots(k, c);
    }
    Tile outputs;
    for (int64_t i = 0; i < groups.width; ++i) {
      llvm::Value* column = k.mul(member(groups, i), group_rows_);
      for (int64_t eight = 0; eight < eights(); ++eight) {
        std::vector<llvm::Value*>& results = outputs.emplace_back();
        for (size_t m = 0; m < xs.size(); ++m) {
          std::vector<llvm::Value*> of_parts;
          for (auto j = static_cast<size_t>(i); j < sums.size(); j += static_cast<size_t>(groups.width))
            of_parts.push_back(k.eight(k.get(sums[j][m]), eight));
          llvm::Value* row = k.add(first, k.i64(static_cast<int64_t>(m)));
          results.push_back(epilogue(k.add(column, k.i64(eight * kLanes)), row, of_parts));
        }
      }
    }
    return outputs;
  }

  // Address of a row that is multiplied.
  llvm::Value* activations(llvm::Value* row) {
    const LinearRow at = rows_->at(row);
    llvm::Value* x = RowEmitter(k, frame, at.token).address(op.operands[0]);
    if (g.type(op.operands[0]).rank() == 2) return x;
    const int64_t apart = slot(0).sub_row ? slot(0).sub_row : cols_;  // each slot has a row of its own
    return k.at(x, k.mul(at.slot, quantised_ ? quantised_bytes(cols_) : apart * 4));
  }

  // Bias and elementwise ops on 8 outputs of one row from `column` on (8 of each half, where there are two);
  // stores what later stages read. Returns what is to be quantised, if anything.
  llvm::Value* epilogue(llvm::Value* column, llvm::Value* row, std::vector<llvm::Value*> sums) {
    const LinearRow at = rows_->at(row);
    RowEmitter e(k, frame, at.token);
    llvm::Value* zero = k.i64(0);
    for (size_t part = 0; part < sums.size(); ++part) {
      if (op.operands.size() > 2 && !by_experts_) {
        llvm::Value* of_part = k.add(column, k.i64(static_cast<int64_t>(part) * groups_ * group_rows_));
        sums[part] = b.CreateFAdd(sums[part], e.lanes(op.operands[2], zero, of_part));
      }
      e.bind(parts_ == 1 ? op.results[0] : form.halves[part], sums[part]);
    }
    const int64_t outputs = outputs_ / parts_;
    for (ValueId v : form.stores) {
      if (v == form.quantised) continue;
      llvm::Value* y = sums[0];
      if (v != op.results[0]) {  // not through its own slot: that is where it goes
        const Op& last = *g.def_op(v);
        std::vector<llvm::Value*> operands;
        for (ValueId o : last.operands) operands.push_back(e.lanes(o, at.slot, column));
        y = find_row_op(last.def->name)->lanes(k, last, operands);
        e.bind(v, y);
      }
      llvm::Value* element = by_experts_ ? k.add(k.mul(at.slot, outputs), column) : column;
      const auto store = [&] { store_outputs(y, k.at(e.address(v), k.mul(element, 4)), column, outputs); };
      if (argmax_ && v == form.logits) {
        argmax_->see(y, column, allowed_->eight(column));
        k.if_then(b.CreateNot(argmax_->wanted()), store);
      } else {
        store();
      }
    }
    return form.quantised.valid() ? e.lanes(g.def_op(form.quantised)->operands[0], at.slot, column) : nullptr;
  }

  void store_outputs(llvm::Value* y, llvm::Value* to, llvm::Value* column, int64_t outputs) {
    if (outputs % group_rows_ == 0) return k.store(y, to, 4);
    llvm::Value* columns = b.CreateAdd(b.CreateVectorSplat(kLanes, column), k.lane_ids());
    k.store_masked(y, to, b.CreateICmpSLT(columns, b.CreateVectorSplat(kLanes, k.i64(outputs))));
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const LinearForm& form;
  const Frame& frame;
  const Graph& g;
  const Op& op;
  const WeightLayout* layout_;
  int64_t outputs_, cols_, group_bytes_, group_rows_;
  int64_t parts_, groups_;  // groups of each part
  int64_t row_block_;       // rows in registers when there are many
  int64_t at_once_;         // groups in registers against 8 rows
  bool streaming_ = true;   // bound by memory: prefetch in every stream
  bool quantised_;
  bool by_experts_;  // linear_experts
  std::optional<LinearRows> rows_;
  std::optional<LinearPrefetch> prefetch_;
  llvm::Value* weights_ = nullptr;      // the matrix
  llvm::Value* limit_ = nullptr;        // how many rows
  llvm::Value* first_ = nullptr;        // group of the tile
  llvm::Value* stream_end_ = nullptr;   // where the first stream's share ends
  std::optional<AllowedRows> allowed_;  // of the logits, as is:
  std::optional<Argmax> argmax_;
};

}  // namespace

int64_t linear_scratch_bytes(const LinearForm& form) {
  return results_bytes(form) + LinearRows::list_bytes(form);
}

void emit_linear_kernel(KernelBuilder& k, const LinearForm& form) { LinearEmitter(k, form).emit(); }

}  // namespace lmc
