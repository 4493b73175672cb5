// Where a cache keeps its positions: what the kernels that fill and read it and the runtime, which may store
// it, agree on. Slot s of its ring is slot s % kCachePage of page s / kCachePage, and a page may lie anywhere
// (StepInfo::caches), so that sequences can share it. K is interleaved by 8 positions so that scores of 8
// positions are lanes of one vector. A page is
// K [kv_heads][kCachePage/8][key_dim][8], then V [kv_heads][kCachePage][value_dim rounded up to 8].
//
// kv_q8_0: K [kv_heads][kCachePage/16] of blocks of 16 positions, then V likewise. `row`: the width rounded
// up to 32, the rest zeros. A block is its int8, of K [row/4][16 positions][4], of V [16 positions][row],
// then its f16 scales, of K [row/32][16 positions], of V [16 positions][row/32].
//
// state_f32: values without keys, of the last kStatesKept positions, each a page of its own. Whatever goes
// back further than that feeds the sequence again: a state is as large as the keys and values of hundreds of
// tokens, so none is kept longer. Memory of a sequence: kStatesKept times what the state has.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/plan.h"

namespace lmc {

// Positions of a page, which are kept, shared and counted together. Rings hold whole pages.
inline constexpr int64_t kCachePage = 64;

struct CacheLayout {
  explicit CacheLayout(const PlanCache& c);
  int64_t page;   // positions of a page: kCachePage, of states 1
  int64_t block;  // positions that lie side by side in K, 8 or 16, of states 1
  int64_t element_bytes;
  int64_t k_row, v_row;                        // numbers of a position and head, padding included
  int64_t k_position_bytes, v_position_bytes;  // of these, scales included
  int64_t k_head_bytes, v_head_bytes;          // one kv head of a page
  int64_t v_offset;                            // bytes from the start of a page to V
  int64_t page_bytes;
  int64_t bytes;  // of all pages
};

// Of a state, one behind each of the last tokens: one less is how many may be taken back (rejected guesses).
inline constexpr int64_t kStatesKept = 8;

// Of the ring.
inline int64_t cache_pages(const PlanCache& c) { return c.capacity / CacheLayout(c).page; }

// The type of the value that is kept so (CacheShape).
Type cache_type(const PlanCache& c);

// Where the numbers of a head and a slot of a page lie, in bytes from the start of the head's K or V, and in
// kv_q8_0 their scales. `element`: of the key or value.
struct CachePlace {
  int64_t number, scale;
};
CachePlace key_place(const PlanCache& c, int64_t slot, int64_t element);
CachePlace value_place(const PlanCache& c, int64_t slot, int64_t element);

// The bytes of the first `slots` slots of the ring, in whole blocks: keys and values of a head follow each
// other from page to page. At most c.capacity.
struct CachePiece {
  int64_t page, offset, bytes;
};
std::vector<CachePiece> cache_pieces(const PlanCache& c, int64_t slots);

}  // namespace lmc
