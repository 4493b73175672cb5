#include "random_graph.h"

#include <algorithm>
#include <random>

#include "ir/op_def.h"
#include "passes/pattern/rewrite.h"

namespace lmc {
namespace {

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed), g_("random") {}

  Graph run() {
    width_ = pick(std::vector<int64_t>{8, 16, 24});
    tokens_ = g_.add_input("tokens", {DType::i32, {kDimT}});
    pos_ = g_.add_input("pos", {DType::i32, {kDimT}});
    rows_ = g_.add_input("out_rows", {DType::i32, {kDimR}});
    values_.push_back(g_.add_input("x", rows_of(width_)));
    values_.push_back(g_.add_input("y", rows_of(pick(std::vector<int64_t>{width_, 4, 12}))));
    const int steps = 4 + upto(12);
    for (int i = 0; i < steps; ++i) {
      scope_ = chance(2) ? "layers." + std::to_string(i / 4) + (chance(2) ? ".attention" : ".ffn") : scope_;
      if (chance(3)) {
        motif();
      } else {
        any_op(*pick(all_ops()));
      }
    }
    if (chance(2)) wrap_in_group();
    choose_outputs();
    return std::move(g_);
  }

 private:
  // Numbers.
  int upto(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool chance(int one_in) { return upto(one_in) == 0; }
  template <class T>
  T pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(upto(static_cast<int>(from.size())))];
  }

  // Leaves.
  static Type rows_of(int64_t n) { return {DType::f32, {kDimT, n}}; }
  std::string fresh(const std::string& base) { return base + std::to_string(names_++); }
  DType stored() { return pick(std::vector<DType>{DType::f32, DType::f32, DType::bf16, DType::f16}); }
  ValueId weight(std::vector<int64_t> dims) { return weight(stored(), std::move(dims)); }
  ValueId weight(DType dtype, std::vector<int64_t> dims) {
    const ValueId w = g_.add_weight(fresh("w"), {dtype, std::move(dims)});
    weights_.push_back(w);
    return w;
  }
  int64_t some_size() { return pick(std::vector<int64_t>{1, 2, 4, 6, 8, width_, 2 * width_, 33}); }

  // Activations: recent ones are likelier, so that chains grow.
  ValueId activation() {
    const int back = std::min(upto(static_cast<int>(values_.size())), upto(static_cast<int>(values_.size())));
    return values_[values_.size() - 1 - static_cast<size_t>(back)];
  }
  ValueId row_activation() {  // f32[T, n]
    for (int i = 0; i < 20; ++i) {
      const ValueId v = activation();
      if (g_.type(v).rank() == 2 && g_.type(v).dims[0] == kDimT && g_.type(v).dtype == DType::f32) return v;
    }
    return values_[0];
  }

  ValueId length() {  // of the tokens' sequences
    const ValueId known = g_.find_input("length");
    return known.valid() ? known : g_.add_input("length", {DType::i32, {kDimT}});
  }

  ValueId op(const std::string& name, std::vector<ValueId> operands, AttrMap attrs = {}) {
    const OpId id = g_.add_op(name, std::move(operands), std::move(attrs), {fresh("v")}, scope_);
    const ValueId v = g_.result(id);
    if (g_.type(v).dtype == DType::f32 && !g_.type(v).is_static()) values_.push_back(v);
    return v;
  }

  // Any op of the table, with operands and attributes guessed until its own checks are content.
  void any_op(const OpDef& def) {
    if (def.category == OpCategory::group) return wrap_in_group();
    for (int attempt = 0; attempt < 60; ++attempt) {
      std::vector<ValueId> operands;
      for (const OperandDef& o : def.operands) {
        if (o.optional && chance(2)) break;
        const int count = o.variadic ? 1 + upto(3) : 1;
        for (int i = 0; i < count; ++i) operands.push_back(guess_operand(def, o.name, operands));
      }
      AttrMap attrs;
      for (const AttrDef& a : def.attrs) {
        if (!a.fallback || chance(2)) attrs[a.name] = guess_attr(a, operands);
      }
      try {
        const OpId id = g_.add_op(def, operands, attrs, {fresh("v")}, scope_);
        for (ValueId r : g_.op(id).results) note(r);
        if (def.name == "kv_append") caches_.erase(std::find(caches_.begin(), caches_.end(), operands[0]));
        return;
      } catch (const Error&) {  // another guess
      }
    }
  }

  void note(ValueId v) {
    const Type& t = g_.type(v);
    if (is_kv(t.dtype)) {
      if (t.rank() == 3) appended_.push_back(v);
    } else if (t.dtype == DType::i32) {
      choices_.push_back(v);
    } else if (t.is_static() || t.dtype == DType::q8_0) {
      weights_.push_back(v);
    } else {
      values_.push_back(v);
    }
  }

  // By the name the operator itself gives its operand.
  ValueId guess_operand(const OpDef& def, const std::string& name, const std::vector<ValueId>& before) {
    if (name == "ids") return def.name == "linear_experts" && !choices_.empty() ? pick(choices_) : tokens_;
    if (name == "pos") return pos_;
    if (name == "length") return length();
    if (name == "rows") return rows_;
    if (name == "kv") return def.name == "kv_append" || appended_.empty() ? cache() : pick(appended_);
    if (name == "cache")
      return g_.add_input(fresh("rows"), {DType::kv_f32, {int64_t{4}, chance(2) ? width_ : some_size()}});
    const bool first = before.empty();
    if (def.category == OpCategory::weight) {
      if (!first && chance(2)) return weight(g_.type(before[0]).dtype, g_.type(before[0]).dims);
      return weights_.empty() || chance(3) ? weight({some_size(), some_size()}) : pick(weights_);
    }
    if (name == "table") return weight({20 + some_size(), width_});
    if (first)
      return def.name == "quantize" && chance(3) && !weights_.empty() ? pick(weights_) : activation();
    const Type& t = g_.type(before[0]);
    switch (upto(5)) {
      case 0:
        return weight({t.last()});
      case 1:
        return weight({some_size(), t.last()});
      case 2:
        if (before.size() > 1) return weight({g_.type(before[1]).dims[0]});
        return before[0];
      case 3:
        for (int i = 0; i < 10; ++i) {
          const ValueId v = activation();
          if (g_.type(v) == t) return v;
        }
        return before[0];
      default:
        return activation();
    }
  }

  Attr guess_attr(const AttrDef& a, const std::vector<ValueId>& operands) {
    const int64_t last = operands.empty() ? 1 : g_.type(operands[0]).last();
    switch (a.kind) {
      case AttrKind::integer:
        return pick(std::vector<int64_t>{0, 1, 2, 4, 8, last, last / 2});
      case AttrKind::real:
        return pick(std::vector<double>{1e-5, 0.25, 0.5, 1, 2, 10000});
      case AttrKind::text:
        return pick(std::vector<std::string>{"", "attn_q", "ffn_up", "q8_0", "f32"});
      case AttrKind::integers:
        switch (upto(4)) {
          case 0:
            return std::vector<int64_t>{last};
          case 1:
            return std::vector<int64_t>{last / 2, last - last / 2};
          case 2:
            return std::vector<int64_t>{2, last / 2};
          default:
            return std::vector<int64_t>{4, last / 4};
        }
      case AttrKind::reals:
        return std::vector<double>(static_cast<size_t>(upto(2) * last / 2), 1.5);
    }
    return int64_t{0};
  }

  ValueId cache() {
    if (caches_.empty() || chance(4)) {
      caches_.push_back(g_.add_input(
          fresh("kv"), {chance(2) ? DType::kv_f16 : DType::kv_f32, {chance(2) ? 6 : 64, 1 + upto(2), 8}}));
    }
    return pick(caches_);
  }

  // What models are made of, with the variations that make a pass right or wrong.
  void motif() {
    switch (upto(11)) {
      case 0:
        return triple();
      case 1:
        return gated();
      case 2:
        return attention();
      case 3:
        return chunked_attention();
      case 4:
        return head();
      case 5:
        return residual();
      case 6:
        return quantised();
      case 7:
        return experts();
      case 8:
        return convolution();
      case 9:
        return recurrence();
      default:
        return weight_views();
    }
  }

  ValueId linear(ValueId x, int64_t rows, const std::string& role, bool biased) {
    const int64_t cols = g_.type(x).last();
    std::vector<ValueId> operands{x, matrix(rows, cols)};
    if (biased) operands.push_back(weight({rows}));
    return op("linear", operands, {{"role", role}});
  }

  // A weight as it is, transposed, with something added, or a slice of a larger one (which neighbours may
  // share).
  ValueId matrix(int64_t rows, int64_t cols) {
    switch (upto(12)) {
      case 0:
      case 1:
      case 2:
        return op("transpose", {weight({cols, rows})});
      case 3: {
        const ValueId product = op("matmul", {weight(DType::f32, {rows, 2}), weight(DType::f32, {2, cols})});
        return op("add", {op("cast", {weight({rows, cols})}), product});
      }
      case 4:
      case 5: {
        if (!shared_.valid() || g_.type(shared_).last() != cols ||
            shared_at_ + rows > g_.type(shared_).dims[0]) {
          shared_ = weight({2 * rows + 8, cols});
          shared_at_ = 0;
        }
        const int64_t start = shared_at_;
        shared_at_ += rows;
        return op("slice", {shared_}, {{"start", start}, {"size", rows}});
      }
      default:
        return weight(pick(std::vector<DType>{DType::f32, DType::f32, DType::f32, DType::bf16}),
                      {rows, cols});
    }
  }

  void triple() {
    const ValueId x = row_activation();
    const ValueId other = chance(6) ? row_activation() : x;
    const int biased = upto(3);  // none, all, some
    for (const char* role : {"attn_q", "attn_k", "attn_v"})
      linear(role == std::string("attn_v") ? other : x, some_size(), role,
             biased == 1 || (biased == 2 && chance(2)));
  }

  void gated() {
    const ValueId x = row_activation();
    const int64_t n = some_size();
    const bool biased = chance(3);
    const ValueId gate = linear(x, n, "ffn_gate", biased);
    const ValueId up = linear(x, n, "ffn_up", biased);
    const ValueId act = op(pick(std::vector<std::string>{"gelu_tanh", "silu", "relu", "gelu_erf"}), {gate});
    const ValueId h = chance(2) ? op("mul", {act, up}) : op("mul", {up, act});
    linear(h, width_, "ffn_down", biased);
  }

  void attention() {
    const ValueId kv = cache();
    const int64_t kv_heads = g_.type(kv).dims[1];
    const int64_t dim = g_.type(kv).dims[2];
    const int64_t heads = kv_heads * (1 + upto(2));
    const ValueId x = row_activation();
    ValueId q = op("reshape", {linear(x, heads * dim, "attn_q", false)},
                   {{"shape", std::vector<int64_t>{heads, dim}}});
    const std::vector<int64_t> shape{kv_heads, dim};
    ValueId k = op("reshape", {linear(x, kv_heads * dim, "attn_k", false)}, {{"shape", shape}});
    const ValueId v = op("reshape", {linear(x, kv_heads * dim, "attn_v", false)}, {{"shape", shape}});
    if (chance(2)) {
      const AttrMap angles{{"dims", chance(3) ? int64_t{4} : dim}, {"theta", 1000.0}};
      q = op("rope", {q, op("rope_angles", {pos_}, angles)});
      k = op("rope", {k, op("rope_angles", {pos_}, angles)});
    }
    const ValueId appended = op("kv_append", {kv, k, v, pos_});
    caches_.erase(std::find(caches_.begin(), caches_.end(), kv));
    appended_.push_back(appended);
    const int64_t span = g_.type(kv).dims[0];
    const ValueId a =
        op("attention", {q, appended, pos_},
           {{"scale", 0.3}, {"window", span < 64 ? span : int64_t{0}}, {"softcap", chance(3) ? 5.0 : 0.0}});
    if (chance(2)) linear(a, some_size(), "attn_o", false);
  }

  void chunked_attention() {
    const ValueId kv = appended_.empty() ? cache() : pick(appended_);
    const int64_t heads = g_.type(kv).dims[1];
    const int64_t dim = g_.type(kv).dims[2];
    const ValueId q = op("reshape", {linear(row_activation(), heads * dim, "attn_q", false)},
                         {{"shape", std::vector<int64_t>{heads, dim}}});
    const ValueId parts = op("attention_split", {q, kv, pos_},
                             {{"scale", 0.3}, {"chunk", int64_t{16}}, {"chunks", int64_t{6}}});
    op("attention_merge", {parts, pos_}, {{"heads", heads}, {"dim", dim}, {"chunk", int64_t{16}}});
  }

  void convolution() {
    const ValueId x = row_activation();
    const int64_t n = g_.type(x).last();
    const int64_t taps = 1 + upto(4);
    const ValueId cache = g_.add_input(fresh("rows"), {DType::kv_f32, {taps + upto(2), n}});
    const ValueId gated = op("mul", {x, linear(x, n, "conv_in", chance(2))});
    const ValueId rows = op("rows_append", {cache, gated, pos_});
    const ValueId w =
        chance(2) ? op("transpose", {op("flatten", {weight({n, 1, taps})})}) : weight({taps, n});
    std::vector<ValueId> operands{rows, pos_, w};
    if (chance(2)) operands.push_back(weight({n}));
    linear(op("mul", {op("short_conv", operands), x}), n, "conv_out", false);
  }

  void recurrence() {
    const ValueId x = row_activation();
    const int64_t groups = 1 + upto(2), heads = groups * (1 + upto(2)), keys = 1 + upto(5),
                  columns = 1 + upto(9);
    const auto rows = [&](int64_t n, int64_t width, const char* role) {
      return op("reshape", {linear(x, n * width, role, false)}, {{"shape", std::vector<int64_t>{n, width}}});
    };
    const ValueId state = g_.add_input(fresh("state"), {DType::state_f32, {heads, keys * columns}});
    std::vector<ValueId> operands{state,
                                  rows(groups, keys, "ssm_q"),
                                  rows(groups, keys, "ssm_k"),
                                  rows(heads, columns, "ssm_v"),
                                  op("sigmoid", {linear(x, heads, "ssm_decay", false)}),
                                  pos_};
    if (chance(2)) operands.push_back(op("softplus", {linear(x, heads, "ssm_gain", false)}));
    if (operands.size() > 6 && chance(2)) operands.push_back(weight({heads}));
    const OpId id = g_.add_op("linear_recurrence", operands, {}, {fresh("v"), fresh("v")}, scope_);
    const ValueId y = op("reshape", {g_.result(id, 1)}, {{"shape", std::vector<int64_t>{heads * columns}}});
    linear(y, some_size(), "ssm_out", false);
  }

  void head() {
    const ValueId table = weight({20, width_});
    const ValueId x = op("embedding", {tokens_, table});
    linear(x, some_size(), "attn_q", false);
    const ValueId rows = op("select_rows", {x, rows_});
    const ValueId logits =
        op("linear", {rows, chance(2) ? table : weight({30, width_})}, {{"role", std::string("lm_head")}});
    if (chance(4)) op("softcap", {logits}, {{"cap", 2.0}});
  }

  void residual() {
    const ValueId x = row_activation();
    const int64_t n = g_.type(x).last();
    const ValueId normed =
        chance(3) ? op("layer_norm", {x, weight({n}), weight({n})}, {{"eps", 1e-5}})
                  : op("rms_norm", {x, weight({n})}, {{"eps", 1e-5}, {"offset", chance(2) ? 1.0 : 0.0}});
    const ValueId y = linear(normed, n, "attn_o", chance(2));
    if (chance(2)) {
      op("add", {x, y});
    } else {
      op("add", {op("rms_norm", {y, weight({n})}, {{"eps", 1e-6}}), x});
    }
  }

  void weight_views() {
    const int64_t n = 2 * some_size();
    ValueId x = row_activation();
    const int64_t cols = g_.type(x).last();
    const ValueId w = weight({n, cols});
    const ValueId first = op("slice", {w}, {{"start", int64_t{0}}, {"size", n / 2}});
    const ValueId second = op("slice", {w}, {{"start", n / 2}, {"size", n / 2}});
    const ValueId whole = op("concat", chance(3) ? std::vector{second, first} : std::vector{first, second});
    ValueId packed;
    if (chance(4)) {  // as a step that guesses reads it
      const ValueId rounded = op("quantize", {whole}, {{"format", std::string("q8_0")}});
      packed = op("high_nibbles", {op("pack", {rounded}, {{"layout", std::string("q8_0.planes8")}})},
                  {{"layout", std::string("q8_0_high.planes8")}});
      x = op("quantize", {x}, {{"format", std::string("q8_0")}});
    } else {
      packed = op("pack", {whole}, {{"layout", std::string("f32")}});
    }
    const ValueId y = op("linear", {x, packed});
    g_.add_op("split", {y}, {{"sizes", std::vector<int64_t>{n / 2, n / 2}}}, {}, scope_);
    for (ValueId r : g_.op(g_.value(y).uses.back().op).results) values_.push_back(r);
  }

  // A gated network of several, some of which are chosen.
  void experts() {
    const ValueId x = row_activation();
    const int64_t count = 2 + upto(3);
    const int64_t chosen = 1 + upto(2);
    const OpId route =
        g_.add_op("route", {linear(x, count, "moe_router", false)},
                  {{"k", chosen}, {"normalise", int64_t{chance(4) ? 0 : 1}}}, {fresh("v")}, scope_);
    for (ValueId r : g_.op(route).results) note(r);
    const ValueId ids = g_.result(route, 1);
    const auto projection = [&](ValueId in, int64_t rows, const std::string& role, ValueId by) {
      const DType dtype = stored();
      std::vector<ValueId> parts;
      for (int64_t e = 0; e < count; ++e) parts.push_back(weight(dtype, {rows, g_.type(in).last()}));
      return op("linear_experts", {in, op("stack", parts), by}, {{"role", role}});
    };
    const int64_t n = some_size();
    const ValueId gate = projection(x, n, "ffn_gate", ids);
    const ValueId up = projection(x, n, "ffn_up", ids);
    const ValueId act = op(pick(std::vector<std::string>{"gelu_tanh", "silu", "relu", "gelu_erf"}), {gate});
    const ValueId d = projection(op("mul", {act, up}), width_, "ffn_down", ids);
    op("weighted_sum", {d, g_.result(route)});
  }

  // What quantize leaves behind, before it runs.
  void quantised() {
    const ValueId x = row_activation();
    const ValueId w = weight({some_size(), g_.type(x).last()});
    op("linear", {op("quantize", {x}), op("quantize", {w})}, {{"role", std::string("attn_o")}});
  }

  // A few neighbours become one group, where that is allowed.
  void wrap_in_group() {
    const std::vector<OpId> order = topo_order(g_);
    if (order.size() < 3) return;
    for (int attempt = 0; attempt < 10; ++attempt) {
      const OpId seed = pick(order);
      std::vector<OpId> ops{seed};
      for (const Use& u : g_.value(g_.result(seed)).uses) {
        if (ops.size() < 3 && std::find(ops.begin(), ops.end(), u.op) == ops.end()) ops.push_back(u.op);
      }
      const bool fits = std::all_of(ops.begin(), ops.end(), [&](OpId id) {
        const OpCategory s = g_.op(id).def->category;
        return s == OpCategory::elementwise || s == OpCategory::row || s == OpCategory::contraction;
      });
      if (!fits || ops.size() < 2 || !replace_obstacle(g_, ops, {}).empty()) continue;
      const auto dead = [&](ValueId v) { return g_.def_op(v) && g_.op(g_.value(v).def).erased; };
      const bool read = std::any_of(ops.begin(), ops.end(), [&](OpId id) {
        const auto& results = g_.op(id).results;
        return std::any_of(results.begin(), results.end(), [&](ValueId r) {
          const auto& uses = g_.value(r).uses;
          return std::any_of(uses.begin(), uses.end(), [&](const Use& u) {
            return std::find(ops.begin(), ops.end(), u.op) == ops.end();
          });
        });
      });
      if (!read) continue;  // a group returns something
      make_group(g_, ops, "random");
      for (auto* list : {&values_, &weights_, &appended_}) std::erase_if(*list, dead);
      return;
    }
  }

  void choose_outputs() {
    std::vector<ValueId> outputs;
    for (OpId id : topo_order(g_)) {
      for (ValueId r : g_.op(id).results) {
        const Type& t = g_.type(r);
        if ((t.dtype != DType::f32 && !is_kv(t.dtype)) || t.is_static() != is_kv(t.dtype)) continue;
        if (g_.value(r).uses.empty() || chance(12)) outputs.push_back(r);
      }
    }
    if (outputs.empty()) outputs.push_back(values_[0]);
    g_.set_outputs(outputs);
    g_.remove_dead();
  }

  std::mt19937 random_;
  Graph g_;
  int64_t width_ = 8;
  ValueId tokens_, pos_, rows_, shared_;
  int64_t shared_at_ = 0;
  std::vector<ValueId> values_, weights_;   // activations f32; weights and what is made of them alone
  std::vector<ValueId> caches_, appended_;  // not yet appended to; results of kv_append
  std::vector<ValueId> choices_;            // of experts
  std::string scope_;
  int names_ = 0;
};

}  // namespace

Graph random_graph(unsigned seed) { return Generator(seed).run(); }

}  // namespace lmc
