// The hash tables of an image as they are built.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace lmc::tokenizer {

// `entries` sorted into buckets by hash; `buckets` says where each begins.
struct HashTable {
  std::vector<uint32_t> buckets;
  std::vector<uint32_t> entries;

  // `hash(i)` of the entries 0..count-1; those of one bucket keep their order.
  template <typename Hash>
  static HashTable make(size_t count, const Hash& hash) {
    HashTable out;
    const size_t size = std::bit_ceil(std::max<size_t>(count, 1));
    out.buckets.resize(size + 1);
    std::vector<uint32_t> bucket_of(count);
    for (size_t i = 0; i < count; ++i) {
      bucket_of[i] = static_cast<uint32_t>(hash(i) & (size - 1));
      ++out.buckets[bucket_of[i] + 1];
    }
    for (size_t b = 0; b < size; ++b) out.buckets[b + 1] += out.buckets[b];
    std::vector<uint32_t> next(out.buckets.begin(), out.buckets.end() - 1);
    out.entries.resize(count);
    for (size_t i = 0; i < count; ++i) out.entries[next[bucket_of[i]]++] = static_cast<uint32_t>(i);
    return out;
  }
};

}  // namespace lmc::tokenizer
