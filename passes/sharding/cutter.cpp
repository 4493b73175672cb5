#include "passes/sharding/cutter.h"

#include "ir/op_def.h"
#include "passes/sharding/ways.h"

namespace lmc {

ValueId Cutter::add(const std::string& op, std::vector<ValueId> operands, AttrMap attrs,
                    const std::string& name) {
  return g_.result(g_.add_op(op, std::move(operands), std::move(attrs), {name}, scope_));
}

ValueId Cutter::narrowed(ValueId v, const Stretch& piece) {
  const Type type = g_.type(v);
  if (piece == Stretch{0, length_of(type)}) return v;
  if (type.rank() == 2) return pieces(v, {piece})[0];
  const auto [it, fresh] = activations_.try_emplace({v, {piece}});
  if (fresh) it->second = {heads(v, piece)};
  return it->second[0];
}

ValueId Cutter::heads(ValueId v, const Stretch& piece) {
  const Type type = g_.type(v);
  const std::string name = g_.value(v).name;
  const int64_t dim = type.last();
  const ValueId row =
      add("reshape", {v}, {{"shape", std::vector<int64_t>{type.dims[1] * dim}}}, name + ".row");
  const ValueId part = narrowed(row, {piece.first * dim, piece.end * dim});
  return add("reshape", {part}, {{"shape", std::vector<int64_t>{piece.size(), dim}}}, name + ".part");
}

std::vector<ValueId> Cutter::pieces(ValueId v, const std::vector<Stretch>& wanted) {
  const int64_t length = length_of(g_.type(v));
  if (wanted.size() == 1 && wanted[0] == Stretch{0, length}) return {v};
  const auto [it, fresh] = activations_.try_emplace({v, wanted});
  if (!fresh) return it->second;
  std::vector<int64_t> sizes;
  const bool before = wanted[0].first > 0;
  if (before) sizes.push_back(wanted[0].first);
  for (const Stretch& p : wanted) sizes.push_back(p.size());
  if (wanted.back().end < length) sizes.push_back(length - wanted.back().end);
  const OpId split = g_.add_op("split", {v}, {{"sizes", sizes}}, {}, scope_);
  for (size_t i = 0; i < wanted.size(); ++i) it->second.push_back(g_.result(split, i + (before ? 1 : 0)));
  return it->second;
}

ValueId Cutter::weight(ValueId w, int64_t axis, const std::vector<Stretch>& wanted) {
  const Type type = g_.type(w);
  if (wanted.size() == 1 && wanted[0] == Stretch{0, type.dims[static_cast<size_t>(axis)]}) return w;
  const auto [it, fresh] = weights_.try_emplace({w, axis, wanted});
  if (!fresh) return it->second;
  const Op* rounded = g_.def_op(w);
  if (rounded && rounded->def->name != "quantize") rounded = nullptr;
  const ValueId source = rounded ? rounded->operands[0] : w;
  const AttrMap format = rounded ? rounded->attrs : AttrMap();
  const std::string name = g_.value(w).name;
  std::vector<ValueId> parts;
  for (const Stretch& p : wanted) {
    if (p == Stretch{0, type.dims[static_cast<size_t>(axis)]}) {
      parts.push_back(source);
      continue;
    }
    parts.push_back(
        add("slice", {source}, {{"axis", axis}, {"start", p.first}, {"size", p.size()}}, name + ".part"));
  }
  ValueId out = parts[0];
  if (parts.size() > 1) out = add("concat", parts, {{"axis", axis}}, name + ".parts");
  if (rounded) out = add("quantize", {out}, format, name + ".part");
  return weights_[{w, axis, wanted}] = out;
}

}  // namespace lmc
