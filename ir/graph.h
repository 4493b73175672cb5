// The IR: an unordered SSA graph of ops over typed tensors, with use lists.
// Knows nothing of files, models, passes or machines. Order exists only when printing (topo_order).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/attr.h"
#include "ir/error.h"
#include "ir/id.h"
#include "ir/type.h"
#include "ir/use_list.h"

namespace lmc {

struct OpDef;
class Graph;

enum class ValueKind : uint8_t { input, weight, result };

struct Value {
  ValueKind kind = ValueKind::result;
  Type type;
  std::string name;  // without % or @; unique among its kind in the graph
  OpId def;          // results only
  uint32_t result_index = 0;
  UseList uses;
  uint32_t returned = 0;  // how often it is among the outputs
};

struct Op {
  const OpDef* def = nullptr;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  AttrMap attrs;                // complete: defaults are filled in by add_op
  std::unique_ptr<Graph> body;  // `group` only
  std::string scope;            // "layers.0.attention": where the profile counts it
  Location loc;
  bool erased = false;
  // Which statement of the graph given to the lowering this is or comes from (number_ops), so that a kernel
  // can be shown where its ops were written; -1: not numbered. Kept by copies, no part of the text.
  int32_t source = -1;
};

class Graph {
 public:
  explicit Graph(std::string name = "main") : name(std::move(name)) {}
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;
  Graph clone() const;  // deep copy, compacted: ids are not kept

  std::string name;

  ValueId add_input(const std::string& name, const Type& type);
  // The weight of that name, declared on first use. Error if it was declared with another type.
  ValueId add_weight(const std::string& name, const Type& type);
  ValueId find_weight(std::string_view name) const;  // invalid id if there is none
  ValueId find_input(std::string_view name) const;

  // Adds an op: fills in attribute defaults, checks operands and attributes, infers result types.
  // Throws Error at `loc` naming op, operand or attribute. `result_names` may be shorter than the results
  // (names are made unique). `body` is for `group`.
  OpId add_op(const OpDef& def, std::vector<ValueId> operands, AttrMap attrs = {},
              std::vector<std::string> result_names = {}, std::string scope = "", Location loc = {},
              std::unique_ptr<Graph> body = nullptr);
  OpId add_op(std::string_view op_name, std::vector<ValueId> operands, AttrMap attrs = {},
              std::vector<std::string> result_names = {}, std::string scope = "", Location loc = {});

  const Op& op(OpId id) const { return ops_[id.v]; }
  const Value& value(ValueId id) const { return values_[id.v]; }
  const Type& type(ValueId id) const { return values_[id.v].type; }
  ValueId result(OpId id, size_t i = 0) const { return ops_[id.v].results[i]; }
  const Op* def_op(ValueId id) const;                // nullptr for inputs and weights
  size_t num_op_ids() const { return ops_.size(); }  // erased ones included
  size_t num_value_ids() const { return values_.size(); }
  bool is_erased(OpId id) const { return ops_[id.v].erased; }

  std::vector<OpId> ops() const;  // live ops, in id order
  std::vector<ValueId> inputs() const { return inputs_; }
  std::vector<ValueId> weights() const;  // live (used or not) weights in order of declaration
  const std::vector<ValueId>& outputs() const { return outputs_; }
  void set_outputs(std::vector<ValueId> outputs);
  bool is_output(ValueId v) const { return values_[v.v].returned > 0; }

  void set_attr(OpId op, const std::string& name, Attr value);
  void set_scope(OpId op, std::string scope);
  void set_source(OpId op, int32_t source) { ops_[op.v].source = source; }
  void set_operand(OpId op, size_t index, ValueId value);
  void set_type(ValueId v, const Type& type);  // inputs and weights; call reinfer() afterwards
  void rename(ValueId v, const std::string& name);
  void replace_all_uses(ValueId from, ValueId to);  // operands and outputs
  void erase_op(OpId op);                           // its results must be unused
  void remove_weight_if_unused(ValueId w);
  size_t remove_dead();  // ops nothing depends on; returns how many
  void reinfer();        // infers all result types again; throws Error on mismatch

  Graph& body(OpId op) { return *ops_[op.v].body; }

 private:
  OpId insert(Op op, std::vector<Type> types, std::vector<std::string> names);  // of its results
  ValueId new_value(Value v);                                                   // under a name of its own
  std::string unique_name(const std::string& wanted, bool weight);
  void forget_name(const std::string& key);

  std::vector<Op> ops_;
  std::vector<Value> values_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> weights_;
  std::vector<ValueId> outputs_;
  std::unordered_map<std::string, ValueId> by_name_;  // "%x" and "@w"
  std::unordered_map<std::string, int64_t> taken_;    // "%x" → n: %x_1 to %x_n are all taken
};

// Live ops in a stable topological order (ready ops by lowest id first). Throws Error if there is a cycle.
std::vector<OpId> topo_order(const Graph& g);

// Numbers all ops, those of bodies behind the op that holds them, in the order in which they are printed.
void number_ops(Graph& g);

// True for weights and for results that depend on weights alone: computed once, when compiling.
SideTable<ValueId, char> weight_only(const Graph& g);

// Typed attribute access; the attribute must exist (add_op fills in defaults).
int64_t attr_int(const Op& op, std::string_view name);
double attr_real(const Op& op, std::string_view name);
const std::string& attr_string(const Op& op, std::string_view name);
const std::vector<int64_t>& attr_ints(const Op& op, std::string_view name);
const std::vector<double>& attr_reals(const Op& op, std::string_view name);

// A hash of everything the text form shows (structure, types, attributes, names).
uint64_t graph_hash(const Graph& g);

}  // namespace lmc
