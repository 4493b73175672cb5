#include "passes/engine/rivals.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace lmc {
namespace {

bool names(const std::vector<std::string>& list, const Pass& pass) {
  return std::find(list.begin(), list.end(), pass.name()) != list.end();
}

bool are_rivals(const Pass& a, const Pass& b) { return names(a.rivals(), b) || names(b.rivals(), a); }

// May `late` run in front of all of [first, last)?
bool may_move(const Pass& late, const std::vector<const Pass*>& passes, size_t first, size_t last) {
  return std::none_of(passes.begin() + static_cast<int64_t>(first),
                      passes.begin() + static_cast<int64_t>(last), [&](const Pass* p) {
                        return !are_rivals(*p, late) && (names(late.after(), *p) || names(p->before(), late));
                      });
}

// The graph after both, in this order.
struct Outcome {
  Graph graph;
  int64_t first = 0, second = 0;  // applications
};

int64_t apply(const Pass& pass, const PassOptions& options, Graph& g) {
  PassContext context;
  if (const auto it = options.settings.find(pass.name()); it != options.settings.end())
    context.settings = it->second;
  pass.run(g, context);
  return context.applications;
}

Outcome in_order(const Graph& g, const PassOptions& options, const Pass& first, const Pass& second) {
  Outcome out{g.clone()};
  out.first = apply(first, options, out.graph);
  out.second = apply(second, options, out.graph);
  return out;
}

// "26 candidates, 1.3% dearer"
std::string note(const Pass& loser, int64_t candidates, double dearer) {
  char text[80];
  if (std::fabs(dearer) < 0.0005) {
    std::snprintf(text, sizeof text, ": %lld candidates, no dearer", static_cast<long long>(candidates));
  } else {
    std::snprintf(text, sizeof text, ": %lld candidates, %.1f%% dearer", static_cast<long long>(candidates),
                  dearer * 100);
  }
  return loser.name() + text;
}

}  // namespace

void settle_rivals(const Graph& g, const PassOptions& options, std::vector<const Pass*>& passes, size_t i,
                   std::map<std::string, std::string>& notes) {
  const Pass& a = *passes[i];
  const auto rival = std::find_if(passes.begin() + static_cast<int64_t>(i) + 1, passes.end(),
                                  [&](const Pass* p) { return are_rivals(a, *p); });
  if (rival == passes.end()) return;
  const Pass& b = **rival;
  try {
    const Outcome a_first = in_order(g, options, a, b);
    const Outcome b_first = in_order(g, options, b, a);
    const bool meet = a_first.first > 0 && b_first.first > 0 && a_first.second < b_first.first;
    if (!meet) return;
    const double cost_a = options.price(a_first.graph);
    const double cost_b = options.price(b_first.graph);
    const auto at = static_cast<size_t>(rival - passes.begin());
    if (cost_b < cost_a && may_move(b, passes, i, at)) {
      std::rotate(passes.begin() + static_cast<int64_t>(i), rival, rival + 1);
      notes[b.name()] = note(a, a_first.first, cost_a / cost_b - 1);
    } else {
      notes[a.name()] = note(b, b_first.first, cost_b / cost_a - 1);
    }
  } catch (const std::bad_alloc&) {
    throw;  // says nothing of the graph: another order because of it would be another result
  } catch (const std::exception&) {
    // It will fail again when it runs, and be reported there; or there is no plan for such a graph.
  }
}

}  // namespace lmc
