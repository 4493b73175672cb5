// The formats behind block_format(), one file each.
#pragma once

#include "ir/block_format.h"

namespace lmc {

extern const BlockFormat kQ8Format;   // q8_0.cpp
extern const BlockFormat kQ4Format;   // q4_0.cpp
extern const BlockFormat kQ4KFormat;  // q4_k.cpp

}  // namespace lmc
