// How attention reads a cache: queries times keys, and values as f32. A reader for each way of storing them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "codegen/kernels/builder.h"
#include "ir/cache_layout.h"

namespace lmc {

class CacheReader {
 public:
  CacheReader(KernelBuilder& builder, const PlanCache& cache)
      : k(builder), b(builder.ir()), layout(cache), dim(cache.key_dim) {}
  virtual ~CacheReader() = default;

  static constexpr int64_t kMostQueries = 8;
  // Bytes of one head's query, as `attention` is given it.
  virtual int64_t query_bytes() const = 0;

  // Query times key, for the heads whose queries are given and `vectors` times 8 positions: [query][vector],
  // lanes being positions. `keys`: the address of the first position, a multiple of CacheLayout::block, as
  // their number is. The order of the sum is the same for any number of queries and vectors. `meanwhile(i)`
  // is emitted in each of steps() steps.
  using Products = std::vector<std::vector<llvm::Value*>>;
  virtual int64_t most_queries() const = 0;                 // at once, a power of two up to kMostQueries
  virtual int64_t most_vectors(int64_t queries) const = 0;  // that registers hold sums for
  virtual int64_t steps() const = 0;
  virtual Products products(const std::vector<llvm::Value*>& queries, llvm::Value* keys, int64_t vectors,
                            const std::function<void(llvm::Value*)>& meanwhile) = 0;

  // Lanes in which values are summed for so many queries, and how many such sums registers hold.
  virtual int64_t value_lanes(int64_t queries) const = 0;
  virtual int64_t value_sums(int64_t queries) const = 0;
  // `vectors` times `lanes` numbers of the value in a slot of a page, from `column` on, a multiple of as
  // many, or of 32. `values`: the address of the head's in the page.
  virtual std::vector<llvm::Value*> values(llvm::Value* values, llvm::Value* slot, llvm::Value* column,
                                           int64_t vectors, int64_t lanes) = 0;

 protected:
  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const CacheLayout layout;
  const int64_t dim;  // of a key
};

// Of the cache's format.
std::unique_ptr<CacheReader> cache_reader(KernelBuilder& k, const PlanCache& cache);

}  // namespace lmc
