// A state that each token fades and adds to: linear attention with decay. Mamba-2 (Dao and Gu 2024, section
// 6: k is B, q is C, v is x, gain is dt, decay exp(dt A), skip is D) and, with delta=1, the gated delta rule
// (Yang et al. 2024) are this op.
#include <algorithm>

#include "ir/cache_layout.h"
#include "ir/ops/common.h"
#include "ir/state_order.h"

namespace lmc::ops::linear_recurrence {
namespace {

enum Operand : size_t { kState, kQuery, kKey, kValue, kDecay, kPos, kGain, kSkip };

void check_heads(const InferArgs& a, size_t operand, const char* what) {
  const Type want{DType::f32, {a[kValue].dims[0], a[kValue].dims[1]}};
  require(a[operand] == want, [&] {
    return std::string(what) + " must be " + want.str() + " like v, found " + a[operand].str();
  });
}

std::vector<Type> infer(const InferArgs& a) {
  for (const size_t i : {kQuery, kKey, kValue}) {
    ops::require_activation(a[i], i == kQuery ? "q" : i == kKey ? "k" : "v");
    require(a[i].rank() == 3 && a[i].dims[0] == a[kValue].dims[0],
            [&] { return "q, k and v must be rows of heads of the same tokens, found " + a[i].str(); });
  }
  require(a[kQuery] == a[kKey],
          [&] { return "q and k differ: " + a[kQuery].str() + " and " + a[kKey].str(); });
  const int64_t heads = a[kValue].dims[1];
  const int64_t groups = a[kKey].dims[1];
  require(groups > 0 && heads % groups == 0,
          [&] { return dim_name(heads) + " heads of values cannot share " + dim_name(groups) + " of keys"; });
  const Type state{DType::state_f32, {heads, a[kKey].last() * a[kValue].last()}};
  require(a[kState] == state, [&] {
    return "this needs the state " + state.str() + ", keys x values of each head, found " + a[kState].str();
  });
  check_heads(a, kDecay, "decay");
  ops::require_positions(a[kPos], a[kValue], "v");
  if (a.size() > kGain) check_heads(a, kGain, "gain");
  if (a.size() > kSkip) ops::require_vector(a[kSkip], heads, "skip");
  const int64_t delta = a.integer("delta");
  require(delta == 0 || delta == 1, "delta must be 0 or 1");
  return {a[kState], Type{DType::f32, a[kValue].dims}};
}

// One token's step of one head. `s`: its state, changed in place.
void step(const EvalArgs& a, int64_t t, int64_t head, double* s, double* y) {
  const int64_t heads = a[kValue].dims[1], groups = a[kKey].dims[1];
  const int64_t keys = a[kKey].last(), values = a[kValue].last();
  const int64_t row = t * heads + head;
  const double* q = a[kQuery].row(t * groups + head / (heads / groups));
  const double* k = a[kKey].row(t * groups + head / (heads / groups));
  const double* v = a[kValue].row(row);
  const double decay = a[kDecay].data[static_cast<size_t>(row)];
  const double gain = a.size() > kGain ? a[kGain].data[static_cast<size_t>(row)] : 1;
  for (int64_t j = 0; j < values; ++j) {
    const auto at = [&](int64_t i) -> double& { return s[state_number(keys, values, i, j)]; };
    double known = 0;
    for (int64_t i = 0; i < keys && a.integer("delta") == 1; ++i) known += k[i] * decay * at(i);
    double sum = 0;
    for (int64_t i = 0; i < keys; ++i) {
      at(i) = decay * at(i) + k[i] * gain * (v[j] - known);
      sum += q[i] * at(i);
    }
    y[j] = sum + (a.size() > kSkip ? a[kSkip].data[static_cast<size_t>(head)] * v[j] : 0);
  }
}

// The states of the last kStatesKept positions, as caches keep them.
std::vector<Tensor> eval(const EvalArgs& a) {
  Tensor state = a[kState];
  const int64_t heads = a[kValue].dims[1], numbers = state.last();
  const auto of_position = static_cast<size_t>(heads * numbers);
  Tensor y = make_tensor(DType::f32, a[kValue].dims);
  std::vector<double> now(of_position, 0.0);
  if (state.dims[0] > 0)
    std::copy(state.data.end() - static_cast<ptrdiff_t>(of_position), state.data.end(), now.begin());
  for (int64_t t = 0; t < a[kPos].dims[0]; ++t) {
    ops::require_next(state, a[kPos].data[static_cast<size_t>(t)]);
    require(t > 0 || state.dims[0] > 0 || state.first == 0,
            "the state in front of the first token is missing");
    for (int64_t h = 0; h < heads; ++h) step(a, t, h, now.data() + h * numbers, y.row(t * heads + h));
    state.data.insert(state.data.end(), now.begin(), now.end());
    ++state.dims[0];
    if (state.dims[0] <= kStatesKept) continue;
    state.data.erase(state.data.begin(), state.data.begin() + static_cast<ptrdiff_t>(of_position));
    --state.dims[0];
    ++state.first;
  }
  return {std::move(state), std::move(y)};
}

const RegisterOp kOp(OpDef{
    .name = "linear_recurrence",
    .doc = "a state S [K, V] of each head, from token to token: S = decay S + k (gain v)^T, and y = S^T q + "
           "skip v; "
           "with delta=1, what S knows of k already is taken out first: S = decay S + k (gain (v - decay S^T "
           "k))^T. "
           "S is 0 in front of the first token. Head h uses q and k number h / (heads / groups)",
    .category = OpCategory::attention,
    .operands = {{"state", "state_f32 [heads, K * V]"},
                 {"q", "[T, groups, K] f32"},
                 {"k", "[T, groups, K] f32"},
                 {"v", "[T, heads, V] f32"},
                 {"decay", "[T, heads] f32"},
                 {"pos", "[T] i32"},
                 {"gain", "[T, heads] f32; 1 where it is left out", true},
                 {"skip", "[heads]", true}},
    .attrs = {{"delta", AttrKind::integer, int64_t{0}, "1: the delta rule"}},
    .updates = 0,
    .infer = infer,
    .eval = eval,
    .flops =
        [](const InferArgs& a) {
          return (a.integer("delta") == 1 ? 7.0 : 5.0) * static_cast<double>(a[kState].elements());
        },
});

}  // namespace
}  // namespace lmc::ops::linear_recurrence
