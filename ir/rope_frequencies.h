// How fast each pair of lanes of a rotary embedding turns: what the reference and the kernel of rope_angles
// share.
#pragma once

#include <vector>

#include "ir/attr.h"

namespace lmc {

// Radians per position of lane pairs 0 … dims/2 - 1, from the attributes of a rope_angles op.
std::vector<double> rope_frequencies(const AttrMap& attrs);

}  // namespace lmc
