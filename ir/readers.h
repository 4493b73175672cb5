// Who reads a value, groups looked into.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// visit(graph, use) for every op that reads `v` and is no group, in `g` or in a body that it enters. Each
// once, however many ways lead to it: groups in groups could double them at each level.
template <class Visit>
void for_each_reader(const Graph& g, ValueId v, const Visit& visit) {
  using Place = std::pair<const Graph*, ValueId>;
  std::set<Place> seen{{&g, v}};
  std::vector<Place> pending{{&g, v}};
  while (!pending.empty()) {
    const auto [graph, value] = pending.back();
    pending.pop_back();
    for (const Use& u : graph->value(value).uses) {
      const Op& reader = graph->op(u.op);
      if (!reader.body) {
        visit(*graph, u);
      } else if (const Place inside{reader.body.get(), reader.body->inputs()[u.operand]};
                 seen.insert(inside).second) {
        pending.push_back(inside);
      }
    }
  }
}

}  // namespace lmc
