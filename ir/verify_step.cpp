#include "ir/verify_step.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"

namespace lmc {
namespace {

// How inputs are called that the step fills in, and the operands that may read them. Learned positions are
// rows of a table, so positions may be ids.
struct StepInputName {
  const char* name;
  std::vector<std::string> operands;
};
const StepInputName kInputs[] = {
    {"tokens", {"ids"}}, {"pos", {"pos", "ids"}}, {"out_rows", {"rows"}}, {"length", {"length"}}};

// What is known of a value wherever groups pass it on.
struct Known {
  std::string origin;              // the input it is, or where it was made
  std::set<std::string> appended;  // of a cache: origins of the positions that this step has added
};
using KnownValues = SideTable<ValueId, Known>;

class StepCheck {
 public:
  explicit StepCheck(const Graph& top) {
    KnownValues inputs(top.num_value_ids());
    for (ValueId v : top.inputs()) inputs[v] = {"%" + top.value(v).name, {}};
    run(top, std::move(inputs), "");
  }

  std::vector<std::string> messages;

 private:
  // `place`: of the group whose body it is. Returns what is known of the outputs.
  std::vector<Known> run(const Graph& g, KnownValues known, const std::string& place) {
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      std::vector<Known> results;
      if (op.body) {
        KnownValues inner(op.body->num_value_ids());
        const std::vector<ValueId> inputs = op.body->inputs();
        for (size_t i = 0; i < op.operands.size(); ++i) inner[inputs[i]] = known[op.operands[i]];
        results = run(*op.body, std::move(inner), place + "%" + g.value(op.results[0]).name + "/");
      } else {
        for (size_t i = 0; i < op.operands.size(); ++i) read(g, op, i, known[op.operands[i]].origin);
      }
      for (size_t i = 0; i < op.results.size(); ++i) {
        const ValueId r = op.results[i];
        known[r] = i < results.size() ? results[i] : Known{place + "%" + g.value(r).name, {}};
      }
      if (op.def->updates >= 0) append(g, op, known);
    }
    std::vector<Known> out;
    for (ValueId v : g.outputs()) out.push_back(known[v]);
    return out;
  }

  void read(const Graph& g, const Op& op, size_t operand, const std::string& origin) {
    const std::string& as = op.def->operands[std::min(operand, op.def->operands.size() - 1)].name;
    if (as != "pos" && as != "ids" && as != "rows" && as != "length") return;
    for (const StepInputName& input : kInputs) {
      const auto& may = input.operands;
      if (origin != std::string("%") + input.name || std::find(may.begin(), may.end(), as) != may.end())
        continue;
      messages.push_back(op.def->name + " %" + g.value(op.results[0]).name + " reads %" + input.name +
                         " as its '" + as + "', which they are not");
    }
  }

  void append(const Graph& g, const Op& op, KnownValues& known) {
    Known& after = known[op.results[0]];
    after.appended = known[op.operands[static_cast<size_t>(op.def->updates)]].appended;
    const std::vector<OperandDef>& operands = op.def->operands;
    const auto pos =
        std::find_if(operands.begin(), operands.end(), [](const OperandDef& o) { return o.name == "pos"; });
    if (pos == operands.end()) return;
    const std::string& positions = known[op.operands[static_cast<size_t>(pos - operands.begin())]].origin;
    if (!after.appended.insert(positions).second) {
      messages.push_back(op.def->name + " %" + g.value(op.results[0]).name +
                         " appends to a cache that holds " + positions +
                         " already: an append of this step has made it");
    }
  }
};

}  // namespace

std::vector<std::string> step_messages(const Graph& g) { return StepCheck(g).messages; }

}  // namespace lmc
