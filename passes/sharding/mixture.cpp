#include "passes/sharding/mixture.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"

namespace lmc {
namespace {

bool projects(const Op& op) { return op.def->name == "linear_experts"; }

// Does it make each row of an expert of the same row of its operands?
bool row_by_row(const Op& op) {
  return op.def->category == OpCategory::elementwise || op.def->name == "split" || op.def->name == "quantize";
}

class Finder {
 public:
  Finder(const Graph& g, const Op& sum) : g_(g), sum_(sum) {}

  Mixture run() {
    pending_ = {sum_.operands[0]};
    while (!pending_.empty()) {
      const ValueId v = pending_.back();
      pending_.pop_back();
      if (const Op* op = g_.def_op(v); op && found_.insert(g_.value(v).def).second) take(*op);
    }
    for (OpId id : topo_order(g_)) {
      if (found_.contains(id)) out_.ops.push_back(id);
    }
    if (out_.experts == 0) out_ = {};
    if (!out_.ops.empty() && out_.why.empty()) look_for_others();
    return std::move(out_);
  }

 private:
  bool of_experts(ValueId v) const { return g_.type(v).rank() == 3 && g_.def_op(v); }

  void take(const Op& op) {
    if (projects(op)) return take_projection(op);
    if (!row_by_row(op)) {
      out_.why = "its experts' rows go through " + op.def->name;
      return;
    }
    for (ValueId v : op.operands) {
      if (of_experts(v)) pending_.push_back(v);
    }
  }

  void take_projection(const Op& op) {
    const int64_t experts = g_.type(op.operands[1]).dims[0];
    if (out_.experts == 0) {
      out_.experts = experts;
      out_.ids = op.operands[2];
    }
    if (out_.experts != experts || out_.ids != op.operands[2])
      out_.why = "its projections choose among different experts";
    if (of_experts(op.operands[0])) pending_.push_back(op.operands[0]);
  }

  // Who reads a row of an expert elsewhere would find that only some ranks have it.
  void look_for_others() {
    for (OpId id : out_.ops) {
      for (ValueId v : g_.op(id).results) {
        const auto& uses = g_.value(v).uses;
        const bool inside = std::all_of(uses.begin(), uses.end(), [&](const Use& u) {
          return found_.contains(u.op) || &g_.op(u.op) == &sum_;
        });
        if (!inside || g_.value(v).returned > 0)
          out_.why = "what one expert makes, %" + g_.value(v).name + ", is read beside their sum";
      }
    }
  }

  const Graph& g_;
  const Op& sum_;
  std::vector<ValueId> pending_;
  std::set<OpId> found_;
  Mixture out_;
};

}  // namespace

Mixture mixture_of(const Graph& g, const Op& weighted_sum) {
  if (weighted_sum.operands.size() > 2) return {};  // dealt out already
  return Finder(g, weighted_sum).run();
}

std::vector<Stretch> cut_experts(const Mixture& mixture, int64_t ranks) {
  int64_t pieces = std::max(kVirtualShards, ranks);
  while (pieces > mixture.experts) pieces /= 2;
  return cut_evenly(mixture.experts, 1, pieces);
}

}  // namespace lmc
