#include "models/language/expand.h"

#include <algorithm>

#include "ir/op_def.h"
#include "ir/verify.h"

namespace lmc {
namespace {

using syntax::Expr;

class Expander {
 public:
  Expander(const Definition& d, const ConfigMap& config, const TensorTypes& tensors,
           std::optional<DType> made)
      : d_(d), config_(config), tensors_(tensors), made_(made) {}

  Expanded run(int64_t context) {
    require(syntax::is_weight_name(d_.family),
            d_.file + ": family '" + d_.family + "': a name holds letters, digits, and _ . / - : only");
    out_.graph = Graph(d_.family);
    out_.layers = whole(value(d_.layers), d_.layers.loc, "layers");
    out_.vocab = whole(value(d_.vocab), d_.vocab.loc, "vocab");
    out_.context = context;
    if (out_.layers < 1 || out_.layers > kMaxLayers)
      throw Error(d_.layers.loc, std::to_string(out_.layers) + " layers");
    config_["context"] = {context};

    values_["tokens"] = graph().add_input("tokens", {DType::i32, {kDimT}});
    values_["pos"] = graph().add_input("pos", {DType::i32, {kDimT}});
    values_["out_rows"] = graph().add_input("out_rows", {DType::i32, {kDimR}});
    run_blocks(d_.embed, d_.weights, "", "embed");

    std::vector<ValueId> caches;
    for (int64_t l = 0; l < out_.layers; ++l) layer(l, caches);
    run_blocks(d_.head, d_.weights, "", "head");

    const ValueId logits = lookup("logits", d_.head.blocks.back().statements.empty()
                                                ? Location{d_.file}
                                                : d_.head.blocks.back().statements.back().loc);
    const Type want{DType::f32, {kDimR, out_.vocab}};
    if (graph().type(logits) != want) {
      throw Error({d_.file, 0, 0}, "%logits is " + graph().type(logits).str() + ", expected " + want.str());
    }
    std::vector<ValueId> outputs{logits};
    outputs.insert(outputs.end(), caches.begin(), caches.end());
    graph().set_outputs(outputs);
    graph().remove_dead();
    return std::move(out_);
  }

 private:
  Graph& graph() { return out_.graph; }
  ConfigValue value(const Expr& e) { return evaluate_expr(e, config_, steps_); }

  // Adds the layer's caches to `caches`, as it leaves them.
  void layer(int64_t l, std::vector<ValueId>& caches) {
    config_["layer"] = {l};
    for (const NamedExpr& e : d_.per_layer) config_[e.name] = value(e.expr);
    const std::string number = std::to_string(l);
    add_cache(d_.kv, "kv", number);
    add_cache(d_.rows, "rows", number);
    add_cache(d_.state, "state", number);
    const std::string prefix = filled_in(d_.layer_prefix, "{layer}", number);
    for (const NamedBlocks& b : d_.layer)
      run_blocks(b, d_.layer_weights, prefix, "layers." + number + "." + b.name);
    config_.erase("layer");
    for (const char* cache : {"kv", "rows", "state"}) {
      if (const auto it = values_.find(cache); it != values_.end()) caches.push_back(it->second);
    }
  }

  // %kv, %rows or %state of this layer, if it has one.
  void add_cache(const std::optional<CacheRule>& rule, const std::string& name, const std::string& layer) {
    values_.erase(name);
    if (!rule || (rule->when && !truth(value(*rule->when), rule->when->loc))) return;
    Type type{!rule->span ? DType::state_f32 : rule->heads ? DType::kv_f16 : DType::kv_f32, {}};
    const auto dim = [&](const Expr& e, const std::string& what) {
      const int64_t n = whole(value(e), e.loc, name + " " + what);
      if (n < 1 || n > (int64_t{1} << 32)) throw Error(e.loc, name + " " + what + " is " + std::to_string(n));
      type.dims.push_back(n);
    };
    if (rule->span) dim(*rule->span, "span");
    if (rule->heads) dim(*rule->heads, "heads");
    dim(rule->dim, "dim");
    if (rule->value_dim) {
      dim(*rule->value_dim, "value_dim");
      if (type.dims[2] == type.dims[3]) type.dims.pop_back();
    }
    values_[name] = graph().add_input(name + "." + layer, type);
  }

  void run_blocks(const NamedBlocks& named, const std::vector<WeightShape>& shapes, const std::string& prefix,
                  const std::string& scope) {
    shapes_ = &shapes;
    prefix_ = prefix;
    scope_ = scope;
    require(syntax::is_scope_name(scope), d_.file + ": '" + named.name +
                                              "' names a part of the model: letters, "
                                              "digits, _ and . only");
    for (const StatementBlock& b : named.blocks) {
      if (b.when && !truth(value(*b.when), b.when->loc)) continue;
      for (const syntax::Statement& s : b.statements) statement(s);
    }
  }

  void statement(const syntax::Statement& s) {
    const OpId id = call(s, s.results);
    const Op& op = graph().op(id);
    if (op.results.size() != s.results.size()) {
      throw Error(s.loc, s.op + " has " + std::to_string(op.results.size()) + " results, " +
                             std::to_string(s.results.size()) + " are named");
    }
    for (size_t i = 0; i < s.results.size(); ++i) values_[s.results[i]] = op.results[i];
  }

  OpId call(const syntax::Statement& s, const std::vector<std::string>& names) {
    const OpDef* def = &get_op(s.op, s.loc);
    std::vector<ValueId> operands;
    bool ended = false;
    for (size_t i = 0; i < s.operands.size(); ++i) {
      const syntax::Operand& o = s.operands[i];
      if (const WeightShape* missing = absent(o)) {
        if (i >= def->operands.size() || !def->operands[i].optional) {
          throw Error(o.loc, "@" + missing->name + " is not there (its when: does not hold), but " + s.op +
                                 " cannot do without it");
        }
        ended = true;
        continue;
      }
      if (ended) throw Error(o.loc, "the operand before this one is not there");
      operands.push_back(operand(o));
    }
    AttrMap attrs;
    for (const syntax::AttrExpr& a : s.attrs) attrs[a.name] = to_attr(value(a.value), a.value.loc);
    ops_left_.take(1, s.loc);
    return graph().add_op(*def, operands, attrs, names, scope_, s.loc);
  }

  ValueId operand(const syntax::Operand& o) {
    switch (o.kind) {
      case syntax::Operand::Kind::value:
        return lookup(o.name, o.loc);
      case syntax::Operand::Kind::weight:
        return weight(o.name, o.loc);
      case syntax::Operand::Kind::call:
        break;
    }
    const OpId id = call(*o.call, {});
    if (graph().op(id).results.size() != 1)
      throw Error(o.loc, o.call->op + " as an operand must have one result");
    return graph().result(id);
  }

  // The weight for whose absence the operand is not there, or null.
  const WeightShape* absent(const syntax::Operand& o) {
    if (o.kind == syntax::Operand::Kind::weight) {
      const WeightShape& w = shape_of(o.name, o.loc);
      return w.when && !truth(value(*w.when), w.when->loc) ? &w : nullptr;
    }
    if (o.kind == syntax::Operand::Kind::call) {
      for (const syntax::Operand& inner : o.call->operands) {
        if (const WeightShape* w = absent(inner)) return w;
      }
    }
    return nullptr;
  }

  ValueId lookup(const std::string& name, const Location& loc) {
    // An input that few models have.
    if (name == "length" && !values_.contains(name))
      values_[name] = graph().add_input(name, {DType::i32, {kDimT}});
    const auto it = values_.find(name);
    if (it == values_.end()) throw Error(loc, "%" + name + " is not defined above");
    return it->second;
  }

  const WeightShape& shape_of(const std::string& name, const Location& loc) const {
    const auto shape =
        std::find_if(shapes_->begin(), shapes_->end(), [&](const WeightShape& w) { return w.name == name; });
    if (shape == shapes_->end()) {
      throw Error(loc, "@" + name + " has no shape in " + (prefix_.empty() ? "weights:" : "layer_weights:"));
    }
    return *shape;
  }

  ValueId weight(const std::string& name, const Location& loc) {
    const WeightShape* shape = &shape_of(name, loc);
    std::vector<int64_t> dims;
    for (const Expr& e : shape->dims) {
      dims.push_back(whole(value(e), e.loc, "a dimension of " + name));
      if (dims.back() < 1 || dims.back() > (int64_t{1} << 32)) {
        throw Error(e.loc, "a dimension of " + name + " is " + std::to_string(dims.back()));
      }
    }
    if (shape->stack.empty()) return tensor(name, dims, *shape, loc);
    const int64_t count = whole(value(shape->of), shape->of.loc, "of");
    if (count < 1 || count > kMaxStack)
      throw Error(shape->of.loc, name + " is a stack of " + std::to_string(count) + " tensors");
    std::vector<ValueId> parts;
    for (int64_t i = 0; i < count; ++i)
      parts.push_back(tensor(filled_in(shape->stack, "{index}", std::to_string(i)), dims, *shape, loc));
    return graph().result(graph().add_op("stack", parts, {}, {}, scope_, loc));
  }

  ValueId tensor(const std::string& name, const std::vector<int64_t>& dims, const WeightShape& shape,
                 const Location& loc) {
    tensors_left_.take(1, loc);
    const std::string local = prefix_ + name;
    if (made_) return use(local, Type{*made_, dims}, local);
    for (const std::string& p : d_.prefixes) {
      const std::optional<Type> found = tensors_(p + local);
      if (!found) continue;
      if (found->dims != dims) {
        throw Error("tensor '" + p + local + "' is " + found->str() + ", expected " +
                    Type{found->dtype, dims}.str() + " (" + shape.loc.str() + ")");
      }
      return use(p + local, *found, local);
    }
    std::string tried;
    for (const std::string& p : d_.prefixes) tried += (tried.empty() ? "'" : ", '") + p + local + "'";
    throw Error("the checkpoint has no tensor " + tried + " (" + loc.str() + ")");
  }

  ValueId use(const std::string& full, const Type& type, const std::string& local) {
    require(syntax::is_weight_name(full),
            d_.file + ": a tensor called '" + full + "': names hold letters, digits, and _ . / - : only");
    out_.used[full] = local;
    return graph().add_weight(full, type);
  }

  const Definition& d_;
  ConfigMap config_;
  const TensorTypes& tensors_;
  std::optional<DType> made_;
  Expanded out_;
  std::map<std::string, ValueId> values_;
  const std::vector<WeightShape>* shapes_ = nullptr;
  std::string prefix_, scope_;
  Budget steps_ = expression_steps(4'000'000);  // of all layers
  Budget tensors_left_{kMaxTensors, "the model has more than " + std::to_string(kMaxTensors) + " tensors"};
  Budget ops_left_{kMaxOps, "the model has more than " + std::to_string(kMaxOps) + " ops"};
};

}  // namespace

Expanded expand(const Definition& d, const ConfigMap& config, const TensorTypes& tensors,
                std::optional<DType> made_dtype, int64_t context) {
  Expanded out = Expander(d, config, tensors, made_dtype).run(context);
  try {  // what each statement allows may be no graph together: two appends to one cache, say
    verify(out.graph);
  } catch (const Error& e) {
    throw Error(d.file + ": " + e.what());
  }
  return out;
}

}  // namespace lmc
