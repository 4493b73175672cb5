// Where the numeric gate looks: steps at positions chosen so that whatever tells positions apart (a window,
// the border of a longrope, the end of a table or of the context) stands on both sides.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// What makes positions differ in a graph, groups included.
struct PositionBorders {
  std::set<int64_t> windows;  // of attention; 0, which sees all, is none
  std::set<int64_t> ropes;    // lengths of a sequence beyond which all angles change

  void add(const Graph& g);
  bool operator==(const PositionBorders&) const = default;
};

// How many positions the model has: as many as its tables of positions have rows and its caches say.
// INT64_MAX if neither says so: every cache is a ring, or there is none.
int64_t context_of(const Graph& g);

// One step: positions first, …, first + tokens - 1, behind a cache that holds the last of those before.
struct CheckScene {
  int64_t tokens = 0;  // T and R
  int64_t first = 0;
  int64_t held = 0;   // positions in the caches
  std::string where;  // for messages: "", or " in front of position 4096"
};

// Windows are made narrow, in their order, so that a few positions reach beyond them all; positions stay as
// they are, since the caches need not hold what no token sees. So the end of a context of 131,072 costs no
// more than its beginning.
struct CheckScenes {
  std::vector<CheckScene> scenes;
  std::map<int64_t, int64_t> windows;  // what takes the place of a window; those not named stay
};

// `tokens`: of the steps at the end of the context.
CheckScenes choose_scenes(const PositionBorders& borders, int64_t context,
                          const std::vector<int64_t>& tokens = {1, 7});

}  // namespace lmc
