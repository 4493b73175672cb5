// Attention of one query head over a range of the cache, in double precision: what `attention` and its split
// form share.
#pragma once

#include <vector>

#include "ir/op_def.h"

namespace lmc::ops {

struct AttentionPart {
  double maximum = 0;          // of the scores
  double sum = 0;              // of exp(score - maximum)
  std::vector<double> values;  // sum of exp(score - maximum) v, [D]
};

// Query head `head` of row `t` against those positions of [first, last] that the cache holds. `kv` is
// [positions, kv_heads, K + V]; `a` has the attributes scale, alibi and softcap.
AttentionPart attention_part(const EvalArgs& a, int64_t t, int64_t head, int64_t first, int64_t last);

// One more score, whose value is zeros.
void add_sink(AttentionPart& part, double score);

// The checks of `attention` on (q, kv, pos) and window, scale, alibi, softcap.
void check_attention(const InferArgs& a);

// First position that the token at `pos` sees.
inline int64_t oldest_seen(int64_t pos, int64_t window) {
  return window > 0 && pos >= window ? pos - window + 1 : 0;
}

}  // namespace lmc::ops
