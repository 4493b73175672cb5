// Two passes that want the same ops: who comes first is decided by what the graph then costs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "passes/engine/manager.h"

namespace lmc {

// Before passes[i] runs over `g`: if a later one is its rival, both are tried in either order on copies of
// the graph. The cheaper order is the one `passes` has afterwards, and the note of the first of the two says
// what the other would have cost: "fuse-down-act: 26 candidates, 1.3% dearer". Nothing happens where the two
// do not meet, where one of them fails, and where there is no price.
void settle_rivals(const Graph& g, const PassOptions& options, std::vector<const Pass*>& passes, size_t i,
                   std::map<std::string, std::string>& notes);

}  // namespace lmc
