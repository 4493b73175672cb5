#include "models/checkpoint/random.h"

#include <cstring>

#include "ir/error.h"

namespace lmc {
namespace {

constexpr float kDeviation = 0.02F;

uint64_t mix(uint64_t z) {  // splitmix64's finaliser
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Close to normal: the sum of four uniform 16-bit numbers (Irwin-Hall), variance 4/12, scaled to 1.
float normal(uint64_t key, uint64_t index) {
  const uint64_t h = mix(key + index * 0x9e3779b97f4a7c15);
  const auto sum =
      static_cast<int32_t>((h & 0xffff) + ((h >> 16) & 0xffff) + ((h >> 32) & 0xffff) + (h >> 48));
  return static_cast<float>(sum - 2 * 65535) * (1.7320508F / 65536.0F);
}

}  // namespace

void RandomWeights::declare(const std::string& name, const Type& type, double center) {
  uint64_t key = mix(seed_ + 0x9e3779b97f4a7c15);
  for (unsigned char c : name) key = mix(key ^ c);
  entries_[name] = {type, static_cast<float>(center), key};
}

std::optional<Type> RandomWeights::type(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return std::nullopt;
  return it->second.type;
}

void RandomWeights::read(const std::string& name, int64_t first, std::span<float> out) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw Error("no random tensor '" + name + "' was declared");
  const Entry& e = it->second;
  const auto at = static_cast<uint64_t>(first);
  for (size_t i = 0; i < out.size(); ++i) out[i] = e.center + kDeviation * normal(e.key, at + i);
  if (e.type.dtype == DType::bf16) {
    for (float& f : out) f = bf16_to_f32(f32_to_bf16(f));
  } else if (e.type.dtype == DType::f16) {
    for (float& f : out) f = f16_to_f32(f32_to_f16(f));
  }
}

}  // namespace lmc
