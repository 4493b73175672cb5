// linear_recurrence: the columns of a head's state depend on each other nowhere, so a block of them goes
// through all rows of the step before the next one does: it lies in the first cache meanwhile. Lanes are
// columns. A row finds the state that its sequence has left in the ring, one slot behind the other, and
// leaves its own in the next: tokens come in order, whoever else is in the step, and each step is the same
// few operations whether a token comes alone or in a block.
//
// Sums over the rows of a state are made of kSums parts, row i in part i % kSums, added (0+1)+(2+3): one sum
// would wait for itself.
#include "codegen/kernels/recurrence.h"

#include <array>

#include "codegen/kernels/row_kernel.h"
#include "ir/cache_layout.h"
#include "ir/op_def.h"
#include "ir/state_order.h"

namespace lmc {
namespace {

constexpr int64_t kSums = 4;
constexpr int64_t kFewHeads = 8;

int64_t blocks_of(int64_t values) { return (values + kStateColumns - 1) / kStateColumns; }

using Sums = std::array<llvm::Value*, kSums>;

class RecurrenceEmitter {
 public:
  RecurrenceEmitter(KernelBuilder& builder, const KernelSpec& spec)
      : k(builder),
        b(builder.ir()),
        frame(spec),
        op(frame.g.op(frame.ops[0])),
        cache(frame.cache(op.operands[0])),
        layout(cache),
        e(builder, frame, nullptr),
        heads_(frame.g.type(op.operands[3]).dims[1]),
        keys_(frame.g.type(op.operands[2]).last()),
        values_(frame.g.type(op.operands[3]).last()),
        delta_(attr_int(op, "delta") == 1) {}

  void emit() {
    const WithLanes lanes(k, kStateColumns);
    const int64_t blocks = blocks_of(values_), whole = values_ / kStateColumns;
    if (frame.spec.tiles == heads_) {
      head_ = k.tile();
      k.loop(k.i64(0), k.i64(whole), 1, [&](llvm::Value* n) { block(n, kStateColumns); });
      if (whole < blocks) block(k.i64(whole), values_ % kStateColumns);
    } else {
      head_ = b.CreateUDiv(k.tile(), k.i64(blocks));
      llvm::Value* n = b.CreateURem(k.tile(), k.i64(blocks));
      if (whole < blocks)
        k.if_then(b.CreateICmpEQ(n, k.i64(whole)), [&] { block(n, values_ % kStateColumns); });
      if (whole > 0) k.if_then(b.CreateICmpSLT(n, k.i64(whole)), [&] { block(n, kStateColumns); });
    }
    k.finish();
  }

 private:
  // Block number `number` of the tile's head, of so many columns, through all tokens of the step.
  void block(llvm::Value* number, int64_t columns) {
    first_ = k.mul(number, kStateColumns);
    columns_ = columns;
    k.loop(k.i64(0), k.tokens(), 1, [&](llvm::Value* token) { step(token); });
  }

  void step(llvm::Value* token) {
    llvm::Value* pos =
        b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[5], token), 4), b.getInt64Ty());
    llvm::Value* pages = k.pages(k.operand(frame.slot(op.operands[0]).operand), token);
    llvm::Value* here =
        k.add(k.add(k.i64(layout.v_offset), k.mul(head_, layout.v_head_bytes)), k.mul(first_, keys_ * 4));
    const auto slot = [&](llvm::Value* position) {  // each is a page
      llvm::Value* s = b.CreateURem(k.add(position, k.i64(cache.capacity)), k.i64(cache.capacity));
      return k.at(k.page(pages, s), here);
    };
    llvm::Value *before = slot(k.add(pos, k.i64(-1))), *after = slot(pos);
    // In front of the first token lies what a sequence that went back has left there.
    k.if_then(b.CreateICmpEQ(pos, k.i64(0)), [&] {
      k.loop(k.i64(0), k.i64(keys_), 1,
             [&](llvm::Value* i) { k.store_lanes(k.splat(0.0), row(before, i), columns_); });
    });
    decay_ = k.splat(number(op.operands[4], token, head_));
    query_ = group(op.operands[1], token);
    key_ = group(op.operands[2], token);
    llvm::Value* v = k.load(k.floats(), k.at(head_row(op.operands[3], token), k.mul(first_, 4)), 4);
    llvm::Value* y = advance(before, after, added(before, v, token));
    if (op.operands.size() > 7) {
      llvm::Value* skip = k.load(b.getFloatTy(), k.at(e.address(op.operands[7], token), k.mul(head_, 4)), 4);
      y = k.fma(k.splat(skip), v, y);
    }
    llvm::Value* to = k.at(e.address(op.results[1], token), k.mul(k.add(k.mul(head_, values_), first_), 4));
    k.store_lanes(y, to, columns_);
  }

  // What the token adds, before it is multiplied by the key: gain (v - what the faded state has for the key).
  llvm::Value* added(llvm::Value* before, llvm::Value* v, llvm::Value* token) {
    if (delta_) {
      llvm::Value* known = over_rows([&](llvm::Value* i, llvm::Value* sum) {
        return k.fma(key(i), k.load(k.floats(), row(before, i), 4), sum);
      });
      v = b.CreateFSub(v, b.CreateFMul(decay_, known));
    }
    if (op.operands.size() > 6) v = b.CreateFMul(k.splat(number(op.operands[6], token, head_)), v);
    return v;
  }

  // The next state, and its sum over rows times the query.
  llvm::Value* advance(llvm::Value* before, llvm::Value* after, llvm::Value* added) {
    return over_rows([&](llvm::Value* i, llvm::Value* sum) {
      llvm::Value* faded = b.CreateFMul(decay_, k.load(k.floats(), row(before, i), 4));
      llvm::Value* s = k.fma(key(i), added, faded);
      k.store_lanes(s, row(after, i), columns_);
      return k.fma(scalar(query_, i), s, sum);
    });
  }

  // Calls more(i, sum) for every row of the state, in order, with the sum that it belongs to.
  llvm::Value* over_rows(const std::function<llvm::Value*(llvm::Value*, llvm::Value*)>& more) {
    Sums sums;
    for (llvm::Value*& s : sums) s = k.variable(k.splat(0.0));
    const auto one = [&](llvm::Value* first, int64_t n) {
      llvm::Value* sum = sums[static_cast<size_t>(n)];
      k.set(sum, more(k.add(first, k.i64(n)), k.get(sum)));
    };
    const int64_t whole = keys_ / kSums * kSums;
    k.loop(k.i64(0), k.i64(whole), kSums, [&](llvm::Value* i) {
      for (int64_t n = 0; n < kSums; ++n) one(i, n);
    });
    for (int64_t n = 0; n < keys_ - whole; ++n) one(k.i64(whole), n);
    return b.CreateFAdd(b.CreateFAdd(k.get(sums[0]), k.get(sums[1])),
                        b.CreateFAdd(k.get(sums[2]), k.get(sums[3])));
  }

  llvm::Value* row(llvm::Value* state, llvm::Value* i) { return k.at(state, k.mul(i, columns_ * 4)); }
  llvm::Value* scalar(llvm::Value* row, llvm::Value* i) {
    return k.splat(k.load(b.getFloatTy(), k.at(row, k.mul(i, 4)), 4));
  }
  llvm::Value* key(llvm::Value* i) { return scalar(key_, i); }

  llvm::Value* number(ValueId v, llvm::Value* token, llvm::Value* index) {
    return k.load(b.getFloatTy(), k.at(e.address(v, token), k.mul(index, 4)), 4);
  }
  // Row number `index` of the token's heads.
  llvm::Value* sub_row(ValueId v, llvm::Value* token, llvm::Value* index) {
    const int64_t apart = frame.slot(v).sub_row;
    return k.at(e.address(v, token), k.mul(index, (apart > 0 ? apart : frame.g.type(v).last()) * 4));
  }
  llvm::Value* head_row(ValueId v, llvm::Value* token) { return sub_row(v, token, head_); }
  llvm::Value* group(ValueId v, llvm::Value* token) {
    return sub_row(v, token, b.CreateUDiv(head_, k.i64(heads_ / frame.g.type(v).dims[1])));
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const Frame frame;
  const Op& op;
  const PlanCache& cache;
  const CacheLayout layout;
  RowEmitter e;
  const int64_t heads_, keys_, values_;
  const bool delta_;
  int64_t columns_ = 0;                                               // of the block
  llvm::Value *head_ = nullptr, *first_ = nullptr;                    // of the tile, of the block
  llvm::Value *decay_ = nullptr, *query_ = nullptr, *key_ = nullptr;  // of the token
};

}  // namespace

int64_t recurrence_tiles(int64_t heads, int64_t values) {
  return heads < kFewHeads ? heads * blocks_of(values) : heads;
}

void emit_recurrence_kernel(KernelBuilder& k, const KernelSpec& spec) { RecurrenceEmitter(k, spec).emit(); }

}  // namespace lmc
