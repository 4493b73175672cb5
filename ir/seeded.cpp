#include "ir/seeded.h"

namespace lmc {

uint64_t seeded_bits(uint64_t key, uint64_t index) {
  uint64_t z = key + index + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double seeded(uint64_t key, uint64_t index) {
  return static_cast<double>(static_cast<int64_t>(seeded_bits(key, index)) >> 11) * 0x1p-52;
}

uint64_t seeded_key(const std::string& name) {
  uint64_t key = 0;
  for (const unsigned char c : name) key = seeded_bits(key ^ c, 0);
  return key;
}

}  // namespace lmc
