#include "models/export/gguf_form.h"

#include <algorithm>
#include <vector>

#include "models/gguf/gguf_writer.h"
#include "models/language/expand.h"
#include "models/load/model_parts.h"

namespace lmc {
namespace {

std::vector<OpId> ops_of_steps(const Graph& g) {
  const SideTable<ValueId, char> constant = weight_only(g);
  std::vector<OpId> out = g.ops();
  std::erase_if(out, [&](OpId id) { return constant[g.result(id)]; });
  return out;
}

// Walks two graphs side by side.
class Matching {
 public:
  Matching(const Model& m, const Graph& other) : m_(m), g_(m.graph), other_(other) {}

  bool run() {
    const std::vector<ValueId> a = other_.inputs(), b = g_.inputs();
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) same_[a[i]] = b[i];
    const std::vector<OpId> x = ops_of_steps(other_), y = ops_of_steps(g_);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [&](OpId p, OpId q) { return match(p, q); });
  }

  std::map<std::string, ValueId> weights;

 private:
  bool match(OpId a, OpId b) {
    const Op& x = other_.op(a);
    const Op& y = g_.op(b);
    if (x.def != y.def || x.attrs != y.attrs || x.results.size() != y.results.size()) return false;
    if (!std::equal(x.operands.begin(), x.operands.end(), y.operands.begin(), y.operands.end(),
                    [&](ValueId p, ValueId q) { return match(p, q); }))
      return false;
    for (size_t i = 0; i < x.results.size(); ++i) same_[x.results[i]] = y.results[i];
    return true;
  }

  // A tensor of the other graph is whatever this one has in its place.
  bool match(ValueId a, ValueId b) {
    if (const auto known = same_.find(a); known != same_.end()) return known->second == b;
    if (other_.type(a).dims != g_.type(b).dims) return false;
    if (other_.value(a).kind == ValueKind::weight)
      return weights.emplace(other_.value(a).name, b).first->second == b;
    const Op* made = g_.def_op(b);
    return made && other_.def_op(a) && match(other_.value(a).def, g_.value(b).def);
  }

  const Model& m_;
  const Graph& g_;
  const Graph& other_;
  std::map<ValueId, ValueId> same_;
};

}  // namespace

std::optional<GgufForm> gguf_form(const Model& m) {
  const Definition& d = *m.definition;
  GgufForm out;
  for (const auto& [name, paths] : d.config) out.config[name] = m.config.at(name);
  for (const GgufConfigRule& rule : d.gguf.config) {
    if (!rule.value || !out.config.contains(rule.name)) continue;
    try {
      out.config[rule.name] = evaluate_expr(*rule.value, {});
    } catch (const Error&) {  // it depends on the file
    }
  }
  evaluate_let(d, out.config);
  const Expanded other = expand(d, out.config, {}, DType::f32, m.context);
  Matching matching(m, other.graph);
  if (!matching.run()) return std::nullopt;
  out.weights = std::move(matching.weights);
  return out;
}

GgufExpression::GgufExpression(const Model& m, ValueId v, int64_t row)
    : v_(v), row_(row), expressions_(m.graph, std::span(&v_, 1)), reader_(expressions_, *m.weights) {}

void GgufExpression::fill(const GgufFormat& format, int64_t first, int64_t rows,
                          std::span<std::byte> out) const {
  const WeightView& all = expressions_.view(v_);
  const WeightView part = row_ > 0 ? all.pick_columns(Positions::range(first * row_, rows * row_))
                                   : all.pick_rows(Positions::range(first, rows));
  const auto columns = static_cast<size_t>(row_ > 0 ? row_ : part.cols());
  std::vector<float> numbers(static_cast<size_t>(rows) * columns);
  reader_.read(part, numbers);
  const size_t row_bytes = out.size() / static_cast<size_t>(rows);
  for (size_t r = 0; r < static_cast<size_t>(rows); ++r)
    encode_gguf(format, std::span(numbers).subspan(r * columns, columns), out.data() + r * row_bytes);
}

}  // namespace lmc
