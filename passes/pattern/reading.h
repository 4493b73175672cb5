// Two readings of one pattern at one place.
#pragma once

#include "ir/error.h"
#include "passes/pattern/match.h"

namespace lmc {

bool same_ops(const Match& a, const Match& b);  // so that a group of either is the same

// The error for two readings of the same ops with different results: both, and what tells them apart.
Error ambiguity(const Pattern& pattern, const Match& a, const Match& b);

// For two that overlap: what was taken, what left.
std::string overlap(const Pattern& pattern, const Match& taken, const Match& left);

}  // namespace lmc
