#include "runtime/id_set.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "ir/kernel_abi.h"

namespace lmc {

namespace {

// Behind the vocabulary, for the rest of a group of weight rows.
constexpr int64_t kMostRowsOfGroup = 256;

}  // namespace

IdSet::IdSet(int64_t vocab)
    : vocab_(vocab), bytes_(static_cast<size_t>((vocab + kMostRowsOfGroup) / 8 + 1 + kReadPastEnd)) {}

void IdSet::add(int64_t first, int64_t last) {
  for (int64_t id = first; id <= last; ++id)
    bytes_[static_cast<size_t>(id / 8)] |= static_cast<uint8_t>(1U << (id % 8));
}

void IdSet::add(const IdSet& others) {
  uint8_t* const to = bytes_.data();  // a byte may alias anything, the vectors themselves too
  const uint8_t* const from = others.bytes_.data();
  const size_t n = bytes_.size();
  for (size_t i = 0; i < n; ++i) to[i] |= from[i];
}

void IdSet::clear() { std::fill(bytes_.begin(), bytes_.end(), uint8_t{0}); }

int64_t IdSet::size() const {
  // Not every target has an instruction for it: bits of a byte are counted in that byte, in many at a time.
  constexpr size_t kAtOnce = 31 * sizeof(uint64_t);  // 31 times 8 bits fit a byte
  constexpr uint64_t kEach = ~uint64_t{0} / 255;     // 1 in every byte
  const uint8_t* const bytes = bytes_.data();
  const size_t whole = bytes_.size() / sizeof(uint64_t) * sizeof(uint64_t);
  int64_t out = 0;
  for (size_t begin = 0; begin < whole; begin += kAtOnce) {
    uint64_t sums = 0;
    for (size_t i = begin; i < std::min(begin + kAtOnce, whole); i += sizeof(uint64_t)) {
      uint64_t x = 0;
      std::memcpy(&x, bytes + i, sizeof x);
      x -= x >> 1 & kEach * 0x55;
      x = (x & kEach * 0x33) + (x >> 2 & kEach * 0x33);
      sums += (x + (x >> 4)) & kEach * 0x0f;
    }
    for (; sums != 0; sums >>= 8) out += static_cast<int64_t>(sums & 0xff);
  }
  for (size_t i = whole; i < bytes_.size(); ++i) out += std::popcount(bytes[i]);
  return out;
}

std::vector<int32_t> IdSet::ids() const {
  std::vector<int32_t> out;
  for (size_t i = 0; i < bytes_.size(); ++i) {
    if (i + sizeof(uint64_t) <= bytes_.size() && word(i) == 0) {
      i += sizeof(uint64_t) - 1;
      continue;
    }
    for (size_t bit = 0; bit < 8; ++bit) {
      if ((bytes_[i] >> bit & 1) != 0) out.push_back(static_cast<int32_t>(i * 8 + bit));
    }
  }
  return out;
}

uint64_t IdSet::word(size_t byte) const {
  uint64_t out = 0;
  std::memcpy(&out, bytes_.data() + byte, sizeof out);
  return out;
}

void IdSet::restrict(std::span<float> logits) const {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const auto vocab = static_cast<size_t>(vocab_);
  for (; logits.size() >= vocab && vocab > 0; logits = logits.subspan(vocab)) {
    for (size_t id = 0; id < vocab; id += 8) {
      const uint8_t byte = bytes_[id / 8];
      if (byte == 0xff) continue;
      const size_t end = std::min(id + 8, vocab);
      for (size_t i = id; i < end; ++i) logits[i] = (byte >> (i - id) & 1) != 0 ? logits[i] : kNever;
    }
  }
}

}  // namespace lmc
