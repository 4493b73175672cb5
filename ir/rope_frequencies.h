// How fast each pair of lanes of a rotary embedding turns: what the reference and the kernel of rope_angles
// share.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/attr.h"

namespace lmc {

// Longrope (Ding et al. 2024) has two lists of factors: a sequence of more positions than this goes by the
// long ones, all of its positions alike; 0: the op has no lists, and one table serves all lengths.
int64_t rope_border(const AttrMap& attrs);

// Radians per position of lane pairs 0 … dims/2 - 1, from the attributes of a rope_angles op; `beyond`: of a
// sequence longer than rope_border().
std::vector<double> rope_frequencies(const AttrMap& attrs, bool beyond);

// What cosines and sines are multiplied by.
double rope_scale(const AttrMap& attrs, bool beyond);

}  // namespace lmc
