#include "passes/engine/check_scenes.h"

#include <algorithm>

#include "ir/demand.h"
#include "ir/op_def.h"
#include "ir/rope_frequencies.h"

namespace lmc {
namespace {

constexpr int64_t kBorderTokens = 2;  // the two on this side of a border
constexpr int64_t kStep = 16;         // between one window and the next
constexpr int64_t kLeastHeld = 5;     // so that one token attends to more than itself
constexpr int64_t kBeyond = 3;        // positions held beyond the widest window

// Does some attention see all that its cache holds?
bool sees_all(const Graph& g, int64_t widest) {
  const std::vector<OpId> ops = g.ops();
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
    const Op& op = g.op(id);
    if (op.body) return sees_all(*op.body, widest);
    if (op.def->category != OpCategory::attention) return false;
    return op.attrs.contains("window") && attr_int(op, "window") != widest;
  });
}

}  // namespace

void PositionBorders::add(const Graph& g) {
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.body) add(*op.body);
    if (op.attrs.contains("window")) {
      if (const int64_t window = attr_int(op, "window"); window > 0) windows.insert(window);
    }
    if (op.def->name == "rope_angles") {
      if (const int64_t border = rope_border(op.attrs); border > 0) ropes.insert(border);
    }
  }
}

int64_t context_of(const Graph& g) {
  int64_t span = 0;
  int64_t rows = INT64_MAX;
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    if (is_kv(t.dtype)) span = std::max(span, cache_shape(t).span);
    if (const Demand d = demand_on(g, v); d.position && d.below < INT32_MAX) rows = std::min(rows, d.below);
  }
  // Where every window is as wide as its cache, the caches are rings and positions go on.
  if (span > 0 && sees_all(g, span)) rows = std::min(rows, span);
  return rows;
}

CheckScenes choose_scenes(const PositionBorders& borders, int64_t context,
                          const std::vector<int64_t>& tokens) {
  CheckScenes out;
  int64_t widest = 0;
  for (int64_t w : borders.windows) {
    if (w >= context) break;  // it never hides anything
    widest = out.windows[w] = std::min(w, widest + kStep);
  }
  const int64_t wanted = std::max(widest + kBeyond, kLeastHeld);
  const auto add = [&](int64_t tokens, int64_t first, const std::string& where) {
    first = std::max<int64_t>(first, 0);
    out.scenes.push_back({tokens, first, std::min(first, wanted), where});
  };
  int64_t beyond = wanted;
  for (int64_t b : borders.ropes) {
    if (b >= context) break;
    beyond = std::max(beyond, b);
  }
  for (int64_t t : tokens) add(t, context == INT64_MAX ? beyond : context - t, "");
  const int64_t few = std::min(kBorderTokens, *std::max_element(tokens.begin(), tokens.end()));
  for (int64_t b : borders.ropes) {
    if (b < context) add(few, b - few, " in front of position " + std::to_string(b));
  }
  return out;
}

}  // namespace lmc
