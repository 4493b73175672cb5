// route and weighted_sum: what stands before and behind the projections of experts.
#include <limits>

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"
#include "ir/round_up.h"

namespace lmc::kernels::experts {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Choice {
  llvm::Value *score, *index;  // f32, i64
};

using Scores = std::function<llvm::Value*(llvm::Value* index)>;

// The best of `n` scores that come behind `last` in the order of falling scores and rising indices. Scores
// that are no numbers are passed over; the index is always that of an expert.
Choice next_best(KernelBuilder& k, const Scores& scores, int64_t n, const Choice& last) {
  auto& b = k.ir();
  llvm::Value* best = k.variable(k.f32(-kInfinity));
  llvm::Value* index = k.variable(k.i64(n));  // none yet
  k.loop(k.i64(0), k.i64(n), 1, [&](llvm::Value* i) {
    llvm::Value* score = scores(i);
    llvm::Value* behind =
        b.CreateOr(b.CreateFCmpOLT(score, last.score),
                   b.CreateAnd(b.CreateFCmpOEQ(score, last.score), b.CreateICmpSGT(i, last.index)));
    llvm::Value* better =
        b.CreateOr(b.CreateICmpEQ(k.get(index), k.i64(n)), b.CreateFCmpOGT(score, k.get(best)));
    llvm::Value* take = b.CreateAnd(behind, better);
    k.set(best, b.CreateSelect(take, score, k.get(best)));
    k.set(index, b.CreateSelect(take, i, k.get(index)));
  });
  llvm::Value* found = b.CreateICmpSLT(k.get(index), k.i64(n));
  return {k.get(best), b.CreateSelect(found, k.get(index), k.i64(0))};
}

// The `count` best, one after the other.
std::vector<Choice> best_of(KernelBuilder& k, const Scores& scores, int64_t n, int64_t count) {
  std::vector<Choice> out;
  Choice last{k.f32(kInfinity), k.i64(-1)};
  for (int64_t j = 0; j < count; ++j) out.push_back(last = next_best(k, scores, n, last));
  return out;
}

// Numbers on the kernel's stack, in whole vectors.
class Table {
 public:
  Table(KernelBuilder& builder, int64_t size)
      : k(builder), memory_(builder.buffer(round_up(size, k.lanes()) * 4, 64)) {}
  llvm::Value* at(llvm::Value* index) { return k.at(memory_, k.mul(index, 4)); }
  llvm::Value* get(llvm::Value* index) { return k.load(k.ir().getFloatTy(), at(index), 4); }
  Scores scores() {
    return [this](llvm::Value* index) { return get(index); };
  }

 private:
  KernelBuilder& k;
  llvm::Value* memory_;
};

// Leaves the scores of the best groups, and -infinity in place of the others.
void keep_best_groups(KernelBuilder& k, const Op& op, Table& choice, Table& left, int64_t experts) {
  auto& b = k.ir();
  const int64_t groups = attr_int(op, "groups");
  const int64_t size = experts / groups;
  Table sums(k, groups);
  k.loop(k.i64(0), k.i64(groups), 1, [&](llvm::Value* group) {
    llvm::Value* first = k.mul(group, size);
    const auto scores = [&](llvm::Value* i) { return choice.get(k.add(first, i)); };
    const std::vector<Choice> two = best_of(k, scores, size, 2);
    k.store(b.CreateFAdd(two[0].score, two[1].score), sums.at(group), 4);
  });
  k.loop(k.i64(0), k.i64(experts), 1, [&](llvm::Value* i) { k.store(k.f32(-kInfinity), left.at(i), 4); });
  for (const Choice& group : best_of(k, sums.scores(), groups, attr_int(op, "kept"))) {
    llvm::Value* first = k.mul(group.index, size);
    k.loop(first, k.add(first, k.i64(size)), 1,
           [&](llvm::Value* i) { k.store(choice.get(i), left.at(i), 4); });
  }
}

// Experts and how much they count, before they are brought to a sum of 1.
struct Routed {
  std::vector<Choice> chosen;
  std::vector<llvm::Value*> shares;
  llvm::Value* sum;  // null: they are as they should be
};

llvm::Value* sum_of(KernelBuilder& k, const std::vector<llvm::Value*>& shares) {
  llvm::Value* sum = nullptr;
  for (llvm::Value* share : shares) sum = sum ? k.ir().CreateFAdd(sum, share) : share;
  return sum;
}

Routed by_softmax(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const ValueId scores = op.operands[0];
  const int64_t experts = e.g.type(scores).last();
  Routed out;
  out.chosen = best_of(
      k, [&](llvm::Value* i) { return e.element(scores, i); }, experts, attr_int(op, "k"));
  llvm::Value* largest = k.splat(out.chosen[0].score);
  for (const Choice& c : out.chosen)
    out.shares.push_back(
        b.CreateExtractElement(math::exp(k, b.CreateFSub(k.splat(c.score), largest)), k.i64(0)));
  if (attr_int(op, "normalise") == 1) {
    out.sum = sum_of(k, out.shares);
    return out;
  }
  llvm::Value* sums = k.variable(k.splat(0.0));
  e.for_lanes(experts, [&](llvm::Value* i, int64_t n) {
    llvm::Value* share = math::exp(k, b.CreateFSub(e.lanes(scores, k.i64(0), i), largest));
    k.set(sums, b.CreateFAdd(k.get(sums), k.keep_lanes(share, n)));
  });
  out.sum = k.sum_lanes(k.get(sums));
  return out;
}

Routed by_sigmoid(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const int64_t experts = e.g.type(op.operands[0]).last();
  Table sigmoids(k, experts), choice(k, experts), left(k, experts);
  e.for_lanes(experts, [&](llvm::Value* i, int64_t) {
    llvm::Value* sigmoid = math::sigmoid(k, e.lanes(op.operands[0], k.i64(0), i));
    k.store(sigmoid, sigmoids.at(i), 4);
    if (op.operands.size() > 1) sigmoid = k.ir().CreateFAdd(sigmoid, e.lanes(op.operands[1], k.i64(0), i));
    k.store(sigmoid, choice.at(i), 4);
  });
  const bool grouped = attr_int(op, "groups") > 1;
  if (grouped) keep_best_groups(k, op, choice, left, experts);
  Routed out;
  out.chosen = best_of(k, (grouped ? left : choice).scores(), experts, attr_int(op, "k"));
  for (const Choice& c : out.chosen) out.shares.push_back(sigmoids.get(c.index));
  out.sum = attr_int(op, "normalise") == 1 ? sum_of(k, out.shares) : nullptr;
  return out;
}

void route(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const Routed routed = attr_string(op, "score") == "sigmoid" ? by_sigmoid(e, op) : by_softmax(e, op);
  const double factor = attr_real(op, "factor");
  for (size_t j = 0; j < routed.chosen.size(); ++j) {
    const auto at = static_cast<int64_t>(4 * j);
    llvm::Value* share = routed.shares[j];
    if (routed.sum) share = b.CreateFDiv(share, routed.sum);
    if (factor != 1) share = b.CreateFMul(share, k.f32(factor));
    k.store(share, k.at(e.address(op.results[0]), at), 4);
    k.store(b.CreateTrunc(routed.chosen[j].index, b.getInt32Ty()), k.at(e.address(op.results[1]), at), 4);
  }
}

// Where in a table of sums, one of them between each two borders, an expert's row goes; behind them if to
// none.
llvm::Value* place_of(KernelBuilder& k, llvm::Value* id, const std::vector<int64_t>& borders) {
  auto& b = k.ir();
  llvm::Value* passed = k.i64(0);
  for (const int64_t border : borders)
    passed = k.add(passed, b.CreateZExt(b.CreateICmpSGE(id, k.i64(border)), b.getInt64Ty()));
  const auto behind = static_cast<int64_t>(borders.size()) - 1;
  return b.CreateSelect(b.CreateICmpEQ(passed, k.i64(0)), k.i64(behind), b.CreateSub(passed, k.i64(1)));
}

// By halves, as the op says.
llvm::Value* sum_by_halves(KernelBuilder& k, const std::function<llvm::Value*(int64_t)>& part, int64_t first,
                           int64_t count) {
  if (count == 1) return part(first);
  llvm::Value* front = sum_by_halves(k, part, first, count / 2);
  return k.ir().CreateFAdd(front, sum_by_halves(k, part, first + count / 2, count - count / 2));
}

void sum_by_borders(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const Type& t = e.g.type(op.operands[0]);
  const std::vector<int64_t>& borders = attr_ints(op, "borders");
  const auto parts = static_cast<int64_t>(borders.size()) - 1;
  constexpr int64_t kBytes = kLanes * 4;
  llvm::Value* sums = k.buffer((parts + 1) * kBytes, 64);
  std::vector<llvm::Value*> places;
  for (int64_t j = 0; j < t.dims[1]; ++j) {
    llvm::Value* id = k.ir().CreateSExt(e.element(op.operands[2], k.i64(j)), k.ir().getInt64Ty());
    places.push_back(k.at(sums, k.mul(place_of(k, id, borders), kBytes)));
  }
  e.for_lanes(t.last(), [&](llvm::Value* i, int64_t n) {
    for (int64_t p = 0; p <= parts; ++p) k.store(k.splat(0.0), k.at(sums, p * kBytes), kBytes);
    for (int64_t j = 0; j < t.dims[1]; ++j) {
      llvm::Value* at = places[static_cast<size_t>(j)];
      llvm::Value* weight = k.splat(e.element(op.operands[1], k.i64(j)));
      llvm::Value* row = e.lanes(op.operands[0], k.i64(j), i);
      k.store(k.fma(weight, row, k.load(k.floats(), at, kBytes)), at, kBytes);
    }
    const auto part = [&](int64_t p) { return k.load(k.floats(), k.at(sums, p * kBytes), kBytes); };
    e.store(op.results[0], k.i64(0), i, sum_by_halves(k, part, 0, parts), n);
  });
}

void weighted_sum(RowEmitter& e, const Op& op) {
  if (op.operands.size() > 2) return sum_by_borders(e, op);
  KernelBuilder& k = e.k;
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  e.for_lanes(t.last(), [&](llvm::Value* i, int64_t n) {
    llvm::Value* sum = nullptr;
    for (int64_t j = 0; j < t.dims[1]; ++j) {
      llvm::Value* weight = k.splat(e.element(op.operands[1], k.i64(j)));
      llvm::Value* row = e.lanes(x, k.i64(j), i);
      sum = sum ? k.fma(weight, row, sum) : k.ir().CreateFMul(weight, row);
    }
    e.store(op.results[0], k.i64(0), i, sum, n);
  });
}

const RegisterRowOp kRoute("route", {nullptr, route});
const RegisterRowOp kWeightedSum("weighted_sum", {nullptr, weighted_sum, true});

}  // namespace
}  // namespace lmc::kernels::experts
