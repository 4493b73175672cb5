// Attention of a single token, spread over threads: its chunks of the cache in several tiles, merged behind.
#pragma once

#include "codegen/flatten.h"

namespace lmc {

// `attention` becomes `attention_split` and `attention_merge` where a token may see more than one chunk and
// there are few kv heads. Weights keep their order, so both graphs share one set of packed weights. Values
// keep their names but not their ids.
FlatGraph split_attention(const FlatGraph& flat);

}  // namespace lmc
