// Rows live in lanes and k runs in order: each output element is one chain of fused multiply-adds, block by
// block, whatever the tiling, the number of tokens in flight or of threads. Same sums, same bits.
//
// With one token a core walks four groups of 8 weight rows in step, far apart in memory: four streams keep
// more cache lines in flight than one, which is what it takes to reach the memory limit.
#include "codegen/kernels/linear.h"

#include "codegen/kernels/row_kernel.h"
#include "codegen/layout.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kStreams = 4;
constexpr int64_t kPrefetchBytes = 4096;

// Accumulators of `groups` weight-row groups × `tokens` tokens.
using Tile = std::vector<std::vector<Value*>>;

class LinearEmitter {
 public:
  LinearEmitter(KernelBuilder& builder, const Stage& s)
      : k(builder), b(builder.ir()), stage(s), g(*s.graph), op(g.op(s.core)) {
    const Type& w = g.type(op.operands[1]);
    rows_ = w.dims[0];
    cols_ = w.dims[1];
    quantised_ = s.slots.at(op.operands[1]).layout == "q8_0.rows8";
    blocks_ = (cols_ + kQ8Block - 1) / kQ8Block;
    group_bytes_ = quantised_ ? blocks_ * kQ8GroupBytes : cols_ * 32;
  }

  void emit() {
    const int64_t groups = (rows_ + 7) / 8;
    Value* first = k.mul(k.tile(), stage.groups_per_tile);
    weights_ = k.operand(slot(1).operand);
    limit_ = stage.over_rows ? k.rows() : k.tokens();
    if (stage.single) {
      k.if_then(b.CreateICmpSGT(limit_, k.i64(0)), [&] { single_token(first, groups); });
    } else {
      Value* end = k.min(k.add(first, k.i64(stage.groups_per_tile)), k.i64(groups));
      k.loop(first, end, 1, [&](Value* group) { token_blocks(group); });
    }
    k.finish();
  }

 private:
  const Slot& slot(size_t operand) const { return stage.slots.at(op.operands[operand]); }

  // One token: four streams over a full tile, the rest one group at a time.
  void single_token(Value* first, int64_t groups) {
    const int64_t stretch = stage.groups_per_tile / kStreams;
    Value* zero = k.i64(0);
    Value* rest = k.variable(first);
    if (stretch > 0) {
      Value* full = b.CreateICmpSLE(k.add(first, k.i64(stretch * kStreams)), k.i64(groups));
      k.if_then(full, [&] {
        k.loop(zero, k.i64(stretch), 1, [&](Value* i) {
          std::vector<Value*> streams;
          for (int64_t s = 0; s < kStreams; ++s)
            streams.push_back(k.add(k.add(first, i), k.i64(s * stretch)));
          compute(streams, zero, 1);
        });
        k.set(rest, k.add(first, k.i64(stretch * kStreams)));
      });
    }
    Value* end = k.min(k.add(first, k.i64(stage.groups_per_tile)), k.i64(groups));
    k.loop(k.get(rest), end, 1, [&](Value* group) { compute({group}, zero, 1); });
  }

  // Many tokens against one group of rows: 8 at a time, then 4, 2 and 1. The group's weights stay in cache.
  void token_blocks(Value* group) {
    Value* at = k.variable(k.i64(0));
    for (int64_t m : {8, 4, 2, 1}) {
      Value* start = k.get(at);
      Value* count = b.CreateAnd(b.CreateSub(limit_, start), k.i64(-m));
      Value* end = k.add(start, count);
      k.loop(start, end, m, [&](Value* t) { compute({group}, t, m); });
      k.set(at, end);
    }
  }

  void compute(const std::vector<Value*>& groups, Value* token, int64_t tokens) {
    std::vector<Value*> w;
    for (Value* group : groups) w.push_back(k.at(weights_, k.mul(group, group_bytes_)));
    const Slot& x = slot(0);
    Value* x_base = x.offset ? k.at(k.operand(x.operand), x.offset) : k.operand(x.operand);
    std::vector<Value*> xs;
    for (int64_t m = 0; m < tokens; ++m) xs.push_back(k.at(x_base, k.mul(k.add(token, k.i64(m)), x.stride)));

    Tile sums(groups.size(), std::vector<Value*>(static_cast<size_t>(tokens)));
    for (auto& row : sums) {
      for (Value*& v : row) v = k.variable(k.splat(0.0));
    }
    if (quantised_) {
      accumulate_q8(w, xs, sums);
    } else {
      accumulate_f32(w, xs, sums);
    }
    for (size_t i = 0; i < groups.size(); ++i) {
      for (int64_t m = 0; m < tokens; ++m) {
        epilogue(groups[i], k.add(token, k.i64(m)), k.get(sums[i][static_cast<size_t>(m)]));
      }
    }
  }

  // Exact int8 dot products per block of 32, scaled by both scales in f32.
  void accumulate_q8(const std::vector<Value*>& w, const std::vector<Value*>& x, const Tile& sums) {
    llvm::Type* i8x32 = llvm::FixedVectorType::get(b.getInt8Ty(), 32);
    const int64_t padded = blocks_ * kQ8Block;
    k.loop(k.i64(0), k.i64(blocks_), 1, [&](Value* block) {
      Value* scales_at = k.add(k.i64(padded), k.mul(block, 4));
      Value* x_at = k.mul(block, kQ8Block);
      for (size_t i = 0; i < w.size(); ++i) {
        Value* p = k.at(w[i], k.mul(block, kQ8GroupBytes));
        if (stage.single) prefetch(p);
        std::vector<Value*> dots(x.size(), llvm::Constant::getNullValue(k.i32x8()));
        for (int64_t quad = 0; quad < 8; ++quad) {
          const Target::Prepared weights = k.target().prepare_int8(b, k.load(i8x32, k.at(p, quad * 32)));
          for (size_t m = 0; m < x.size(); ++m) {
            Value* four = k.load(b.getInt32Ty(), k.at(x[m], k.add(x_at, k.i64(quad * 4))), 4);
            Value* repeated = b.CreateBitCast(b.CreateVectorSplat(kLanes, four), i8x32);
            dots[m] = k.target().dot_int8(b, weights, repeated, dots[m]);
          }
        }
        llvm::Type* f16x8 = llvm::FixedVectorType::get(b.getHalfTy(), kLanes);
        Value* w_scale = k.half_to_float(k.load(f16x8, k.at(p, 256), 2));
        for (size_t m = 0; m < x.size(); ++m) {
          Value* x_scale = k.splat(k.load(b.getFloatTy(), k.at(x[m], scales_at), 4));
          Value* scale = b.CreateFMul(w_scale, x_scale);
          k.set(sums[i][m], k.fma(b.CreateSIToFP(dots[m], k.f32x8()), scale, k.get(sums[i][m])));
        }
      }
    });
  }

  void prefetch(Value* p) {
    for (int64_t line = 0; line < kQ8GroupBytes; line += 64) {
      b.CreateIntrinsic(llvm::Intrinsic::prefetch, {b.getPtrTy()},
                        {k.at(p, kPrefetchBytes + line), b.getInt32(0), b.getInt32(3), b.getInt32(1)});
    }
  }

  void accumulate_f32(const std::vector<Value*>& w, const std::vector<Value*>& x, const Tile& sums) {
    const auto step = [&](Value* column) {
      for (size_t m = 0; m < x.size(); ++m) {
        Value* xv = k.splat(k.load(b.getFloatTy(), k.at(x[m], k.mul(column, 4)), 4));
        for (size_t i = 0; i < w.size(); ++i) {
          Value* wv = k.load(k.f32x8(), k.at(w[i], k.mul(column, 32)), 4);
          k.set(sums[i][m], k.fma(wv, xv, k.get(sums[i][m])));
        }
      }
    };
    constexpr int64_t kUnroll = 4;
    const int64_t whole = cols_ / kUnroll * kUnroll;
    k.loop(k.i64(0), k.i64(whole), kUnroll, [&](Value* column) {
      for (int64_t u = 0; u < kUnroll; ++u) step(k.add(column, k.i64(u)));
    });
    for (int64_t c = whole; c < cols_; ++c) step(k.i64(c));
  }

  // Bias and elementwise ops on 8 outputs of one token; stores what later stages read.
  void epilogue(Value* group, Value* token, Value* sum) {
    RowEmitter e(k, stage, token);
    Value* zero = k.i64(0);
    Value* column = k.mul(group, kLanes);
    if (op.operands.size() > 2) sum = b.CreateFAdd(sum, e.lanes(op.operands[2], zero, column));
    e.bind(op.results[0], sum);
    for (ValueId v : stage.stores) {
      Value* y = sum;
      if (v != op.results[0]) {  // not through its own slot: that is where it goes
        const Op& last = *g.def_op(v);
        std::vector<Value*> operands;
        for (ValueId o : last.operands) operands.push_back(e.lanes(o, zero, column));
        y = find_row_op(last.def->name)->lanes(k, last, operands);
        e.bind(v, y);
      }
      Value* to = k.at(e.address(v), k.mul(column, 4));
      if (rows_ % kLanes == 0) {
        k.store(y, to, 4);
      } else {
        Value* columns = b.CreateAdd(b.CreateVectorSplat(kLanes, column), k.lane_ids());
        k.store_masked(y, to, b.CreateICmpSLT(columns, b.CreateVectorSplat(kLanes, k.i64(rows_))));
      }
    }
  }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const Stage& stage;
  const Graph& g;
  const Op& op;
  int64_t rows_, cols_, blocks_, group_bytes_;
  bool quantised_;
  Value* weights_ = nullptr;
  Value* limit_ = nullptr;
};

}  // namespace

void emit_linear_kernel(KernelBuilder& k, const Stage& stage) { LinearEmitter(k, stage).emit(); }

}  // namespace lmc
