#include "codegen/kernels/cache_reader.h"

#include "codegen/frame.h"
#include "codegen/kernels/activations.h"

namespace lmc {
namespace {

using Products = CacheReader::Products;

Products zeros(KernelBuilder& k, size_t queries, int64_t vectors) {
  Products sums(queries);
  for (auto& of_query : sums) {
    for (int64_t v = 0; v < vectors; ++v) of_query.push_back(k.variable(k.splat(0.0)));
  }
  return sums;
}

Products loaded(KernelBuilder& k, Products variables) {
  for (auto& of_query : variables) {
    for (llvm::Value*& v : of_query) v = k.get(v);
  }
  return variables;
}

// f16 and f32: element by element, each of a query meeting several vectors of keys.
class FloatReader : public CacheReader {
 public:
  FloatReader(KernelBuilder& builder, const PlanCache& cache)
      : CacheReader(builder, cache), half_(cache.dtype == DType::kv_f16) {}

  int64_t query_bytes() const override { return dim * 4; }
  int64_t steps() const override { return dim; }

  Products products(const std::vector<llvm::Value*>& queries, llvm::Value* keys, int64_t vectors,
                    const std::function<void(llvm::Value*)>& meanwhile) override {
    const Products sums = zeros(k, queries.size(), vectors);
    const int64_t eight = kCacheBlock * layout.k_position_bytes;
    k.loop(k.i64(0), k.i64(dim), 1, [&](llvm::Value* j) {
      meanwhile(j);
      std::vector<llvm::Value*> key;
      for (int64_t v = 0; v < vectors; ++v)
        key.push_back(load(k.at(keys, k.add(k.i64(v * eight), k.mul(j, kLanes * layout.element_bytes)))));
      for (size_t i = 0; i < queries.size(); ++i) {
        llvm::Value* q = k.splat(k.load(b.getFloatTy(), k.at(queries[i], k.mul(j, 4)), 4));
        for (size_t v = 0; v < key.size(); ++v) k.set(sums[i][v], k.fma(key[v], q, k.get(sums[i][v])));
      }
    });
    return loaded(k, sums);
  }

  std::vector<llvm::Value*> values(llvm::Value* values, llvm::Value* slot, llvm::Value* column,
                                   int64_t vectors) override {
    llvm::Value* row =
        k.at(values, k.add(k.mul(slot, layout.v_position_bytes), k.mul(column, layout.element_bytes)));
    std::vector<llvm::Value*> out;
    for (int64_t n = 0; n < vectors; ++n) out.push_back(load(k.at(row, n * kLanes * layout.element_bytes)));
    return out;
  }

 private:
  llvm::Value* load(llvm::Value* address) {
    if (!half_) return k.load(k.f32x8(), address, 4);
    return k.widen(k.load(llvm::FixedVectorType::get(b.getHalfTy(), kLanes), address, 2));
  }

  const bool half_;
};

// Q8_0, the queries too. Per block of 32: sums += (scale of k * scale of q) * whole dot product, in f32, as
// contractions do it. The product of two f16 numbers is exact in f32, and so is a number of a value times its
// scale.
class Int8Reader : public CacheReader {
 public:
  using CacheReader::CacheReader;

  int64_t query_bytes() const override { return quantised_bytes(dim); }
  int64_t steps() const override { return layout.k_row / kQ8Block; }

  Products products(const std::vector<llvm::Value*>& queries, llvm::Value* keys, int64_t vectors,
                    const std::function<void(llvm::Value*)>& meanwhile) override {
    const Products sums = zeros(k, queries.size(), vectors);
    k.loop(k.i64(0), k.i64(steps()), 1, [&](llvm::Value* block) {
      meanwhile(block);
      const Activations activations(k, dim, block);
      const Products whole =
          dots(queries, activations, k.at(keys, k.mul(block, kQ8Block * kCacheBlock)), vectors);
      for (int64_t v = 0; v < vectors; ++v) {
        const auto n = static_cast<size_t>(v);
        llvm::Value* at =
            k.at(keys, k.add(k.i64(v * eight() + kCacheBlock * layout.k_row), k.mul(block, kCacheBlock * 2)));
        llvm::Value* key_scales = k.widen(k.load(k.vector(b.getHalfTy(), kLanes), at, 2));
        for (size_t i = 0; i < queries.size(); ++i) {
          llvm::Value* scale = b.CreateFMul(key_scales, k.splat(activations.scale(queries[i])));
          llvm::Value* product = b.CreateSIToFP(whole[i][n], k.f32x8());
          k.set(sums[i][n], k.fma(product, scale, k.get(sums[i][n])));
        }
      }
    });
    return loaded(k, sums);
  }

  std::vector<llvm::Value*> values(llvm::Value* values, llvm::Value* slot, llvm::Value* column,
                                   int64_t vectors) override {
    llvm::Value* in_block = b.CreateAnd(slot, k.i64(kCacheBlock - 1));
    llvm::Value* block = k.at(values, k.mul(b.CreateAnd(slot, k.i64(-kCacheBlock)), layout.v_position_bytes));
    llvm::Value* row = k.at(block, k.add(k.mul(in_block, layout.v_row), column));
    llvm::Value* scales =
        k.add(k.mul(in_block, layout.v_row / kQ8Block), b.CreateUDiv(column, k.i64(kQ8Block)));
    std::vector<llvm::Value*> out;
    llvm::Value* scale = nullptr;
    for (int64_t n = 0; n < vectors; ++n) {
      if (n * kLanes % kQ8Block == 0) {
        llvm::Value* index = k.add(scales, k.i64(n * kLanes / kQ8Block));
        llvm::Value* half =
            k.load(b.getHalfTy(), k.at(block, k.add(k.i64(kCacheBlock * layout.v_row), k.mul(index, 2))), 2);
        scale = k.splat(b.CreateFPExt(half, b.getFloatTy()));
      }
      llvm::Value* numbers = k.load(k.vector(b.getInt8Ty(), kLanes), k.at(row, n * kLanes));
      out.push_back(b.CreateFMul(b.CreateSIToFP(numbers, k.f32x8()), scale));
    }
    return out;
  }

 private:
  int64_t eight() const { return kCacheBlock * layout.k_position_bytes; }

  // Of one block of 32, which begins at `keys`. The loop over quads stays a loop, as in layouts/q8_0.cpp.
  Products dots(const std::vector<llvm::Value*>& queries, const Activations& activations, llvm::Value* keys,
                int64_t vectors) {
    constexpr int64_t kQuad = 4 * kCacheBlock;  // bytes of 4 numbers of 8 positions
    const Target& target = k.target();
    Products out(queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      llvm::Value* sum = target.wants_block_sums() ? activations.sum(queries[i]) : nullptr;
      for (int64_t v = 0; v < vectors; ++v)
        out[i].push_back(k.variable(target.start_int8(b, sum, kCacheBlock)));
    }
    k.loop(k.i64(0), k.i64(kQ8Block / 4), 1, [&](llvm::Value* quad) {
      std::vector<Target::Prepared> key;
      for (int64_t v = 0; v < vectors; ++v) {
        llvm::Value* at = k.at(keys, k.add(k.i64(v * eight()), k.mul(quad, kQuad)));
        key.push_back(target.prepare_int8(b, k.load(k.vector(b.getInt8Ty(), kQuad), at)));
      }
      for (size_t i = 0; i < queries.size(); ++i) {
        llvm::Value* four = activations.repeated(queries[i], quad, kCacheBlock);
        for (size_t v = 0; v < key.size(); ++v)
          k.set(out[i][v], target.dot_int8(b, key[v], four, k.get(out[i][v])));
      }
    });
    return loaded(k, std::move(out));
  }
};

}  // namespace

std::unique_ptr<CacheReader> cache_reader(KernelBuilder& k, const PlanCache& cache) {
  if (cache.dtype == DType::kv_q8_0) return std::make_unique<Int8Reader>(k, cache);
  return std::make_unique<FloatReader>(k, cache);
}

}  // namespace lmc
