#include <algorithm>
#include <set>

#include "ir/op_def.h"
#include "passes/pattern/rewrite.h"
#include "rewrites.h"

namespace lmc {
namespace {

bool read_outside(const Graph& g, const std::set<OpId>& ops) {
  for (OpId id : ops) {
    for (ValueId r : g.op(id).results) {
      if (g.is_output(r)) return true;
      for (const Use& u : g.value(r).uses) {
        if (!ops.contains(u.op)) return true;
      }
    }
  }
  return false;
}

std::vector<OpId> neighbours(const Graph& g, const std::set<OpId>& ops) {
  std::set<OpId> out;
  for (OpId id : ops) {
    for (ValueId v : g.op(id).operands) {
      if (g.def_op(v)) out.insert(g.value(v).def);
    }
    for (ValueId r : g.op(id).results) {
      for (const Use& u : g.value(r).uses) out.insert(u.op);
    }
  }
  std::vector<OpId> result;
  for (OpId id : out) {
    if (!ops.contains(id) && !is_weight(g, g.result(id))) result.push_back(id);
  }
  return result;
}

}  // namespace

std::string group_somewhere(Graph& g, const std::string& name, Rng& random) {
  g = g.clone();  // compact: clones of a clone keep its ids
  const std::vector<OpId> all = g.ops();
  for (int attempt = 0; attempt < 60; ++attempt) {
    const OpId seed = pick(random, all);
    if (is_weight(g, g.result(seed))) continue;
    std::set<OpId> ops = {seed};
    for (size_t size = 2 + below(random, 6), tries = 0; ops.size() < size && tries < 30; ++tries) {
      const std::vector<OpId> near = neighbours(g, ops);
      if (near.empty()) break;
      ops.insert(pick(random, near));
    }
    const std::vector<OpId> list(ops.begin(), ops.end());
    if (ops.size() < 2 || !read_outside(g, ops) || !replace_obstacle(g, list, {}).empty()) continue;
    Graph trial = g.clone();
    const OpId made = make_group(trial, list, name);
    if (!can_be_compiled(trial)) continue;
    const std::string result = trial.value(trial.result(made)).name;
    g = std::move(trial);
    return "%" + result;
  }
  return "";
}

}  // namespace lmc
