// One query head per tile (and a few tokens of a block). The cache is walked in blocks of 32 positions that
// start at multiples of 32, with a running maximum, sum and weighted total, as in "Online normalizer
// calculation for softmax" (Milakov, Gimelshein 2018). Blocks are the same whoever asks, so every token's
// result has the same bits in a prefill block and alone.
#include "codegen/kernels/attention.h"

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kVectors = kAttentionBlock / kLanes;
constexpr double kNothing = -1e30;  // smaller than any score, and finite: no inf - inf

class AttentionEmitter {
 public:
  AttentionEmitter(KernelBuilder& builder, const Stage& s)
      : k(builder),
        b(builder.ir()),
        stage(s),
        g(*s.graph),
        op(g.op(s.core)),
        cache(s.caches.at(op.operands[1])),
        layout(cache) {
    heads_ = g.type(op.operands[0]).dims[1];
    dim_ = cache.head_dim;
    window_ = attr_int(op, "window");
  }

  void emit() {
    Value* head = b.CreateURem(k.tile(), k.i64(heads_));
    Value* first = k.mul(b.CreateUDiv(k.tile(), k.i64(heads_)), stage.tokens_per_tile);
    Value* end = k.min(k.add(first, k.i64(stage.tokens_per_tile)), k.tokens());
    Value* kv_head = b.CreateUDiv(head, k.i64(heads_ / cache.kv_heads));
    Value* base = k.operand(stage.slots.at(op.operands[1]).operand);
    keys_ = k.at(base, k.mul(kv_head, layout.k_head_bytes));
    values_ = k.at(k.at(base, layout.v_offset), k.mul(kv_head, layout.v_head_bytes));
    k.loop(first, end, 1, [&](Value* token) { one_token(token, head); });
    k.finish();
  }

 private:
  Value* total(Value* j) { return k.at(k.scratch(), k.add(k.i64(kAttentionBlock * 4), k.mul(j, 4))); }

  void for_value_lanes(const std::function<void(Value*)>& body) {
    k.loop(k.i64(0), k.i64(layout.v_row), kLanes, body);
  }

  Value* load_cached(Value* address) {
    if (cache.dtype == DType::kv_f32) return k.load(k.f32x8(), address, 4);
    return k.half_to_float(k.load(llvm::FixedVectorType::get(b.getHalfTy(), kLanes), address, 2));
  }

  void one_token(Value* token, Value* head) {
    RowEmitter e(k, stage, token);
    Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[2]), 4), b.getInt64Ty());
    Value* query = k.at(e.address(op.operands[0]), k.mul(head, dim_ * 4));
    Value* oldest = k.i64(0);
    if (window_ > 0) oldest = k.max(k.i64(0), k.add(pos, k.i64(1 - window_)));

    for_value_lanes([&](Value* j) { k.store(k.splat(0.0), total(j), 4); });
    Value* maximum = k.variable(k.f32(kNothing));
    Value* sum = k.variable(k.f32(0));
    Value* first_block = b.CreateAnd(oldest, k.i64(-kAttentionBlock));
    k.loop(first_block, k.add(pos, k.i64(1)), kAttentionBlock,
           [&](Value* block) { one_block(query, pos, oldest, block, maximum, sum); });

    Value* inverse = k.splat(b.CreateFDiv(k.f32(1), k.get(sum)));
    Value* out = k.at(e.address(op.results[0]), k.mul(head, dim_ * 4));
    e.for_lanes(dim_, [&](Value* j, int64_t n) {
      Value* y = b.CreateFMul(k.load(k.f32x8(), total(j), 4), inverse);
      k.store_lanes(y, k.at(out, k.mul(j, 4)), n);
    });
  }

  void one_block(Value* query, Value* pos, Value* oldest, Value* block, Value* maximum, Value* sum) {
    // The ring holds whole blocks, so a block never wraps.
    Value* slot = b.CreateURem(block, k.i64(cache.capacity));
    std::vector<Value*> scores = masked_scores(query, pos, oldest, block, slot);

    Value* best = scores[0];
    for (Value* s : scores) best = b.CreateSelect(b.CreateFCmpOGT(s, best), s, best);
    Value* before = k.get(maximum);
    Value* here = k.max_lanes(best);
    Value* now = b.CreateSelect(b.CreateFCmpOGT(here, before), here, before);
    k.set(maximum, now);
    Value* fade = math::exp(k, b.CreateVectorSplat(kLanes, b.CreateFSub(before, now)));

    Value* added = k.splat(0.0);
    for (size_t i = 0; i < scores.size(); ++i) {
      Value* p = math::exp(k, b.CreateFSub(scores[i], k.splat(now)));
      p = b.CreateSelect(b.CreateFCmpOGT(scores[i], k.splat(kNothing)), p, k.splat(0.0));
      added = b.CreateFAdd(added, p);
      k.store(p, k.at(k.scratch(), static_cast<int64_t>(i) * kLanes * 4), 4);
    }
    Value* fade_scalar = b.CreateExtractElement(fade, k.i64(0));
    k.set(sum, k.fma(k.get(sum), fade_scalar, k.sum_lanes(added)));
    add_values(slot, fade);
  }

  std::vector<Value*> masked_scores(Value* query, Value* pos, Value* oldest, Value* block, Value* slot) {
    std::vector<Value*> sums;
    for (int64_t i = 0; i < kVectors; ++i) sums.push_back(k.variable(k.splat(0.0)));
    Value* keys = k.at(keys_, k.mul(slot, dim_ * layout.element_bytes));
    k.loop(k.i64(0), k.i64(dim_), 1, [&](Value* j) {
      Value* q = k.splat(k.load(b.getFloatTy(), k.at(query, k.mul(j, 4)), 4));
      for (int64_t i = 0; i < kVectors; ++i) {
        const int64_t eight = dim_ * kLanes * layout.element_bytes;
        Value* key =
            load_cached(k.at(keys, k.add(k.i64(i * eight), k.mul(j, kLanes * layout.element_bytes))));
        Value* s = sums[static_cast<size_t>(i)];
        k.set(s, k.fma(key, q, k.get(s)));
      }
    });
    const double cap = attr_real(op, "softcap");
    for (int64_t i = 0; i < kVectors; ++i) {
      Value* s = b.CreateFMul(k.get(sums[static_cast<size_t>(i)]), k.splat(attr_real(op, "scale")));
      if (cap > 0) s = b.CreateFMul(math::tanh(k, b.CreateFMul(s, k.splat(1 / cap))), k.splat(cap));
      Value* at = b.CreateAdd(b.CreateVectorSplat(kLanes, k.add(block, k.i64(i * kLanes))), k.lane_ids());
      Value* seen = b.CreateAnd(b.CreateICmpSLE(at, b.CreateVectorSplat(kLanes, pos)),
                                b.CreateICmpSGE(at, b.CreateVectorSplat(kLanes, oldest)));
      sums[static_cast<size_t>(i)] = b.CreateSelect(seen, s, k.splat(kNothing));
    }
    return sums;
  }

  // total = total * fade + sum of p[i] V[i], positions in order.
  void add_values(Value* slot, Value* fade) {
    const int64_t row = layout.v_row * layout.element_bytes;
    Value* rows = k.at(values_, k.mul(slot, row));
    for_value_lanes([&](Value* j) {
      Value* t = k.variable(b.CreateFMul(k.load(k.f32x8(), total(j), 4), fade));
      Value* column = k.at(rows, k.mul(j, layout.element_bytes));
      k.loop(k.i64(0), k.i64(kAttentionBlock), 4, [&](Value* i) {
        for (int64_t u = 0; u < 4; ++u) {
          Value* n = k.add(i, k.i64(u));
          Value* p = k.splat(k.load(b.getFloatTy(), k.at(k.scratch(), k.mul(n, 4)), 4));
          k.set(t, k.fma(p, load_cached(k.at(column, k.mul(n, row))), k.get(t)));
        }
      });
      k.store(k.get(t), total(j), 4);
    });
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const Stage& stage;
  const Graph& g;
  const Op& op;
  const PlanCache& cache;
  const CacheLayout layout;
  int64_t heads_, dim_, window_;
  Value* keys_ = nullptr;
  Value* values_ = nullptr;
};

}  // namespace

int64_t attention_scratch_bytes(int64_t head_dim) { return (kAttentionBlock + (head_dim + 7) / 8 * 8) * 4; }

void emit_attention_kernel(KernelBuilder& k, const Stage& stage) { AttentionEmitter(k, stage).emit(); }

}  // namespace lmc
