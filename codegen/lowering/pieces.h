// The ops of a flat graph cut into kernels: what a fusion grouped is one kernel if a family takes it as a
// whole; rows in front and behind that it does not take, and ops of no group, join their neighbours.
#pragma once

#include <vector>

#include "codegen/family.h"
#include "codegen/lowering/open_groups.h"

namespace lmc {

// Ops that become one kernel.
struct Piece {
  const KernelFamily* family = nullptr;
  std::vector<OpId> ops;
  bool over_rows = false;
};

// In the order they run. `weight_only`: values that no step computes; `single`: a step of one token. Error at
// a group that no kernel can hold.
std::vector<Piece> cut_into_pieces(const FlatGraph& flat, const SideTable<ValueId, char>& weight_only,
                                   bool single);

}  // namespace lmc
