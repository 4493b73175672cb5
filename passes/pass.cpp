#include "passes/pass.h"

#include <algorithm>
#include <set>

namespace lmc {
namespace {

std::vector<std::unique_ptr<Pass>>& table() {
  static std::vector<std::unique_ptr<Pass>> passes;
  return passes;
}

}  // namespace

std::string LedgerEntry::tensor() const {
  std::string out;
  for (const WeightRows& r : sources) out += (out.empty() ? "" : " + ") + r.str();
  return out;
}

RegisterPass::RegisterPass(std::unique_ptr<Pass> pass) { table().push_back(std::move(pass)); }

std::vector<const Pass*> ordered_passes() {
  std::vector<const Pass*> all;
  for (const auto& p : table()) all.push_back(p.get());
  return order_passes(all);
}

std::vector<const Pass*> order_passes(const std::vector<const Pass*>& passes) {
  std::map<std::string, const Pass*> waiting;
  for (const Pass* p : passes) {
    if (!waiting.emplace(p->name(), p).second) throw Error("two passes are called " + p->name());
  }
  std::map<std::string, std::set<std::string>> predecessors;
  for (const auto& [name, pass] : waiting) {
    for (const std::string& a : pass->after()) predecessors[name].insert(a);
    for (const std::string& b : pass->before()) predecessors[b].insert(name);
  }
  std::vector<const Pass*> order;
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& entry) {
      const auto& needs = predecessors[entry.first];
      return std::none_of(needs.begin(), needs.end(),
                          [&](const std::string& n) { return waiting.contains(n); });
    });
    if (ready == waiting.end())
      throw Error("the order of passes goes in a circle through " + waiting.begin()->first);
    order.push_back(ready->second);
    waiting.erase(ready);
  }
  return order;
}

const Pass& find_pass(const std::string& name) {
  std::string known;
  for (const Pass* p : ordered_passes()) {
    if (p->name() == name) return *p;
    known += (known.empty() ? "" : ", ") + p->name();
  }
  throw Error("there is no pass '" + name + "'; there are " + known);
}

}  // namespace lmc
