// What a model will need in memory, before anything of it is loaded.
#pragma once

#include <cstdint>

#include "models/load/model.h"

namespace lmc {

// As `lmc compile` makes it and one session of `lmc run` uses it, in bytes.
struct MemoryEstimate {
  int64_t context = 0;
  int64_t weights = 0;   // packed
  int64_t kv_cache = 0;  // when the context is full
  int64_t buffers = 0;   // of a step
  int64_t total() const { return weights + kv_cache + buffers; }
};

// Plans `m` as compile does by default; its graph is used up.
MemoryEstimate estimate_memory(Model& m);

// Parameters when every use of a shared matrix counts: a tied output matrix twice.
int64_t untied_parameters(const Graph& g);

}  // namespace lmc
