// Numbers that look random and are the same for the same key and index on every machine: what graphs and
// kernels are tried on.
#pragma once

#include <cstdint>
#include <string>

namespace lmc {

// splitmix64 (Steele, Lea, Flood 2014) of key + index.
uint64_t seeded_bits(uint64_t key, uint64_t index);
// In [-1, 1).
double seeded(uint64_t key, uint64_t index);
// A key for a name.
uint64_t seeded_key(const std::string& name);

}  // namespace lmc
