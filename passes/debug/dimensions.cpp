#include "passes/debug/dimensions.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "ir/op_def.h"

namespace lmc {
namespace {

std::vector<int64_t> whole_numbers(const Attr& a) {
  if (const auto* one = std::get_if<int64_t>(&a)) return {*one};
  if (const auto* list = std::get_if<std::vector<int64_t>>(&a)) return *list;
  return {};
}

int64_t product(const std::vector<int64_t>& numbers, size_t first = 0) {
  return std::accumulate(numbers.begin() + static_cast<int64_t>(std::min(first, numbers.size())),
                         numbers.end(), int64_t{1}, std::multiplies<>());
}

}  // namespace

Dimensions::Dimensions(const Graph& g) : g_(&g) { add(g); }

void Dimensions::add(const Graph& g) {
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (op.body) {
      add(*op.body);
      for (size_t i = 0; i < op.operands.size(); ++i)
        tie_types(g, op.operands[i], *op.body, op.body->inputs()[i]);
      for (size_t i = 0; i < op.results.size(); ++i)
        tie_types(g, op.results[i], *op.body, op.body->outputs()[i]);
    }
    tie_op(g, id);
  }
}

// Numbers that are equal within one op are taken for one dimension: 0 and 1 say nothing.
void Dimensions::tie_op(const Graph& g, OpId id) {
  const Op& op = g.op(id);
  std::map<int64_t, int> first;
  const auto note = [&](const Slot& s, int64_t number) {
    if (number < 2) return;
    const int i = slot(s, number);
    const auto [it, fresh] = first.emplace(number, i);
    if (!fresh && !op.body) tie(it->second, i);
  };
  for (const auto* values : {&op.operands, &op.results}) {
    for (ValueId v : *values) {
      for (size_t i = 0; i < g.type(v).dims.size(); ++i) note({&g, v, {}, "", i}, g.type(v).dims[i]);
    }
  }
  for (const auto& [name, value] : op.attrs) {
    const std::vector<int64_t> numbers = whole_numbers(value);
    for (size_t i = 0; i < numbers.size(); ++i) note({&g, {}, id, name, i}, numbers[i]);
  }
}

void Dimensions::tie_types(const Graph& a, ValueId x, const Graph& b, ValueId y) {
  for (size_t i = 0; i < a.type(x).dims.size(); ++i) {
    const int64_t n = a.type(x).dims[i];
    if (n >= 2) tie(slot({&a, x, {}, "", i}, n), slot({&b, y, {}, "", i}, n));
  }
}

int Dimensions::slot(const Slot& s, int64_t number) {
  const auto [it, fresh] = slots_.emplace(s, static_cast<int>(parents_.size()));
  if (fresh) {
    parents_.push_back(it->second);
    numbers_.push_back(number);
  }
  return it->second;
}

int Dimensions::root(int i) const {
  while (parents_[static_cast<size_t>(i)] != i) {
    auto& parent = parents_[static_cast<size_t>(i)];
    parent = parents_[static_cast<size_t>(parent)];
    i = parent;
  }
  return i;
}

void Dimensions::tie(int a, int b) { parents_[static_cast<size_t>(root(b))] = root(a); }

int Dimensions::dimension(const Slot& s) const {
  const auto it = slots_.find(s);
  return it == slots_.end() ? -1 : root(it->second);
}

std::vector<Dimensions::Choice> Dimensions::choices() const {
  std::map<int64_t, std::vector<int>, std::greater<>> by_number;
  for (int i = 0; i < static_cast<int>(parents_.size()); ++i) {
    if (root(i) == i) by_number[numbers_[static_cast<size_t>(i)]].push_back(i);
  }
  std::vector<Choice> out;
  for (const auto& [number, dimensions] : by_number) out.push_back({number, dimensions});
  for (const auto& [number, dimensions] : by_number) {
    if (dimensions.size() == 1) continue;
    for (int d : dimensions) out.push_back({number, {d}});
  }
  return out;
}

// One attempt: follows a change through the graph until every op infers what its readers expect.
class DimensionChange {
 public:
  DimensionChange(const Dimensions& d, const Dimensions::Choice& choice, int64_t to) : d_(d) {
    for (int i : choice.dimensions) now_[d.root(i)] = to;
  }

  std::optional<GraphEdit> run() {
    do {
      changed_ = false;
      try {
        if (!follow(*d_.g_)) return std::nullopt;
      } catch (const Error&) {  // an op refuses these types
        return std::nullopt;
      }
    } while (changed_);
    return collect(*d_.g_);
  }

 private:
  int64_t number(const Dimensions::Slot& s, int64_t old) const {
    const auto it = now_.find(d_.dimension(s));
    return it == now_.end() ? old : it->second;
  }

  Type type(const Graph& g, ValueId v) const {
    Type t = g.type(v);
    for (size_t i = 0; i < t.dims.size(); ++i) t.dims[i] = number({&g, v, {}, "", i}, t.dims[i]);
    return t;
  }

  AttrMap attrs(const Graph& g, OpId id) const {
    AttrMap out = g.op(id).attrs;
    for (auto& [name, value] : out) {
      if (auto* one = std::get_if<int64_t>(&value)) *one = number({&g, {}, id, name, 0}, *one);
      if (auto* list = std::get_if<std::vector<int64_t>>(&value)) {
        for (size_t i = 0; i < list->size(); ++i) (*list)[i] = number({&g, {}, id, name, i}, (*list)[i]);
      }
    }
    return out;
  }

  // False if the slot would have to be two numbers.
  bool require_number(const Dimensions::Slot& s, int64_t old, int64_t wanted) {
    if (number(s, old) == wanted) return true;
    const int dimension = d_.dimension(s);
    if (dimension < 0 || wanted < 1 || !now_.emplace(dimension, wanted).second) return false;
    changed_ = true;
    return true;
  }

  bool follow(const Graph& g) {
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      if (op.body) {
        if (!follow(*op.body)) return false;
        continue;
      }
      if (op.def->category == OpCategory::view && !follow_view(g, id)) return false;
      std::vector<Type> types;
      for (ValueId v : op.operands) types.push_back(type(g, v));
      const AttrMap changed = attrs(g, id);
      const std::vector<Type> results = op.def->infer({types, changed, nullptr});
      if (results.size() != op.results.size()) return false;
      for (size_t r = 0; r < results.size(); ++r) {
        const Type& old = g.type(op.results[r]);
        if (results[r].dims.size() != old.dims.size()) return false;
        for (size_t i = 0; i < old.dims.size(); ++i) {
          if (!require_number({&g, op.results[r], {}, "", i}, old.dims[i], results[r].dims[i])) return false;
        }
      }
    }
    return true;
  }

  // A view's attribute says how a row is cut (the sum) or folded (the product): rows follow it.
  bool follow_view(const Graph& g, OpId id) {
    const Op& op = g.op(id);
    const ValueId x = op.operands[0];
    const std::vector<int64_t>& dims = g.type(x).dims;
    const AttrMap changed = attrs(g, id);
    for (const auto& [name, value] : op.attrs) {
      const auto* list = std::get_if<std::vector<int64_t>>(&value);
      if (!list || list->empty()) continue;
      const std::vector<int64_t> now = std::get<std::vector<int64_t>>(changed.at(name));
      const Dimensions::Slot last{&g, x, {}, "", dims.size() - 1};
      if (list->size() == 1 && product(*list) == product(dims, 1))
        return require_number({&g, {}, id, name, 0}, list->at(0), product(type(g, x).dims, 1));
      if (std::accumulate(list->begin(), list->end(), int64_t{0}) == dims.back())
        return require_number(last, dims.back(), std::accumulate(now.begin(), now.end(), int64_t{0}));
      if (dims.size() == 2 && product(*list) == dims.back())
        return require_number(last, dims.back(), product(now));
    }
    return true;
  }

  // Types of results, and of a body's inputs, follow when the graph is rebuilt.
  GraphEdit collect(const Graph& g) const {
    GraphEdit edit;
    for (const std::vector<ValueId>& values : {g.inputs(), g.weights()}) {
      for (ValueId v : values) {
        if (const Type t = type(g, v); t != g.type(v)) edit.types[v] = t;
      }
    }
    for (OpId id : g.ops()) {
      const Op& op = g.op(id);
      if (AttrMap changed = attrs(g, id); changed != op.attrs) edit.attrs[id] = std::move(changed);
      if (op.body) edit.bodies[id] = collect(*op.body);
    }
    return edit;
  }

  const Dimensions& d_;
  std::map<int, int64_t> now_;  // by dimension
  bool changed_ = false;
};

std::optional<GraphEdit> Dimensions::change(const Choice& choice, int64_t to) const {
  return DimensionChange(*this, choice, to).run();
}

}  // namespace lmc
