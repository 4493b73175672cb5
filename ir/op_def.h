// What an operator is: one OpDef block in one file under ir/ops. Printer, parser, verifier, `lmc ops` and the
// reference evaluator all read these blocks; nothing else lists the ops.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"

namespace lmc {

class WeightView;
struct ViewArgs;
struct WeightTile;

struct OperandDef {
  std::string name;
  std::string doc;        // shape and meaning: "[.., K] input rows"
  bool optional = false;  // only the last ones
  bool variadic = false;  // only the last one: one or more
};

struct AttrDef {
  std::string name;
  AttrKind kind;
  std::optional<Attr> fallback;  // value when left out; nullopt = must be given
  std::string doc;
};

// What an op does along the last dimension, which is all that grouping and code generation need to know.
enum class OpCategory : uint8_t {
  elementwise,  // result[i] depends on operand[i] alone (an operand [N] is repeated over rows)
  row,          // result row depends on one row (per token) of each operand
  contraction,  // linear: every output needs a whole input row and a weight row
  attention,    // reads the cache of earlier tokens
  view,         // the same numbers under other indices: split, reshape
  weight,       // on weights when compiling: concat, slice, transpose, cast, pack
  group,        // a nested graph
};

// What a call of an op looks like to its own checks. Throw Error(message): the caller adds op and place.
struct InferArgs {
  const std::vector<Type>& types;  // of the operands
  const AttrMap& attrs;
  const Graph* body;  // `group` only

  const Type& operator[](size_t i) const { return types[i]; }
  size_t size() const { return types.size(); }
  int64_t integer(const std::string& name) const { return std::get<int64_t>(attrs.at(name)); }
  double real(const std::string& name) const { return std::get<double>(attrs.at(name)); }
  const std::string& text(const std::string& name) const { return std::get<std::string>(attrs.at(name)); }
  const std::vector<int64_t>& integers(const std::string& name) const {
    return std::get<std::vector<int64_t>>(attrs.at(name));
  }
  const std::vector<double>& reals(const std::string& name) const {
    return std::get<std::vector<double>>(attrs.at(name));
  }
};

struct EvalArgs {
  const std::vector<const Tensor*>& in;
  const AttrMap& attrs;
  const std::vector<Type>& result_types;
  const Graph* body;

  const Tensor& operator[](size_t i) const { return *in[i]; }
  size_t size() const { return in.size(); }
  int64_t integer(const std::string& name) const { return std::get<int64_t>(attrs.at(name)); }
  double real(const std::string& name) const { return std::get<double>(attrs.at(name)); }
  const std::string& text(const std::string& name) const { return std::get<std::string>(attrs.at(name)); }
  const std::vector<int64_t>& integers(const std::string& name) const {
    return std::get<std::vector<int64_t>>(attrs.at(name));
  }
  const std::vector<double>& reals(const std::string& name) const {
    return std::get<std::vector<double>>(attrs.at(name));
  }
};

// Work per token (T = R = 1).
struct Cost {
  double flops = 0;
  double exps = 0;
  double weight_bytes = 0;
  double activation_bytes = 0;
};

struct OpDef {
  std::string name;
  std::string doc;
  OpCategory category = OpCategory::elementwise;
  std::vector<OperandDef> operands = {};
  std::vector<AttrDef> attrs = {};
  bool commutative = false;  // the first two operands may be exchanged
  int updates = -1;          // the operand whose place the first result takes, changed in place; -1: none
  double exps = 0;           // exponentials and the like that an element of the result takes
  bool activation = false;  // elementwise, and the nonlinearity of a network: fusions take whichever there is

  std::function<std::vector<Type>(const InferArgs&)> infer = {};
  std::function<std::vector<Tensor>(const EvalArgs&)> eval;   // double precision, whole sequence
  std::function<double(const InferArgs&)> flops = {};         // per token; absent: one per output element
  std::function<double(const InferArgs&)> weight_bytes = {};  // read per token; absent: all weights

  // On weights, when compiling. Either the result is a view of its operands, or a tile of it is computed by
  // `eval` from the tiles of them that `tiles` names; elementwise ops need no more than the same tile of
  // each. Others cannot be computed when compiling.
  std::function<WeightView(const ViewArgs&)> view = {};
  std::function<std::vector<WeightTile>(const WeightTile&, const std::vector<Type>& operands)> tiles = {};
  bool rounds = false;  // the result is the operand, in another format
};

// Registered ops. The table is complete before main() starts.
const OpDef* find_op(std::string_view name);  // nullptr if there is none
const OpDef& get_op(std::string_view name);   // Error if there is none, with the nearest name
const OpDef& get_op(std::string_view name, const Location& at);  // which the Error names
std::vector<const OpDef*> all_ops();                             // by name

// `constant`: weight_only(g), for many ops of one graph.
Cost op_cost(const Graph& g, OpId op, const SideTable<ValueId, char>& constant);
Cost op_cost(const Graph& g, OpId op);

struct RegisterOp {
  explicit RegisterOp(OpDef def);
};

// For infer functions.
void require(bool ok, const std::string& message);  // throws Error(message)
// Likewise, with what makes the message: most of them name types, and are asked for millions of times for
// nothing.
template <std::invocable Message>
void require(bool ok, const Message& message) {
  if (!ok) throw Error(message());
}
Type with_dtype(Type t, DType d);

}  // namespace lmc
