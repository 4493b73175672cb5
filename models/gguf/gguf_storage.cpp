#include "models/gguf/gguf_storage.h"

#include <numeric>

namespace lmc {

int64_t GgufStorage::block() const { return std::accumulate(parts.begin(), parts.end(), int64_t{0}); }

bool GgufStorage::fits(int64_t rows) const {
  if (rope_heads > 0) return rows % (2 * rope_heads) == 0;
  return parts.empty() || rows % block() == 0;
}

int64_t GgufStorage::stored_row(int64_t rows, int64_t r) const {
  if (rope_heads > 0) {
    const int64_t per_head = rows / rope_heads;
    const int64_t in_head = r % per_head;
    return r - in_head + in_head % (per_head / 2) * 2 + in_head / (per_head / 2);
  }
  if (parts.empty()) return r;
  const int64_t blocks = rows / block();
  int64_t in_block = r % block();
  int64_t before = 0;  // rows of the parts in front
  for (const int64_t part : parts) {
    if (in_block < part) return before + r / block() * part + in_block;
    in_block -= part;
    before += blocks * part;
  }
  return r;  // not reached: the parts are the whole block
}

int64_t GgufStorage::checkpoint_row(int64_t rows, int64_t r) const {
  if (rope_heads > 0) {
    const int64_t per_head = rows / rope_heads;
    const int64_t in_head = r % per_head;
    return r - in_head + in_head % 2 * (per_head / 2) + in_head / 2;
  }
  if (parts.empty()) return r;
  const int64_t blocks = rows / block();
  int64_t left = r;
  int64_t in_block = 0;
  for (const int64_t part : parts) {
    if (left < blocks * part) return left / part * block() + in_block + left % part;
    left -= blocks * part;
    in_block += part;
  }
  return r;
}

}  // namespace lmc
