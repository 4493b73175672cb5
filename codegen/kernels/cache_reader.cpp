#include "codegen/kernels/cache_reader.h"

#include "codegen/frame.h"
#include "codegen/kernels/activations.h"

namespace lmc {
namespace {

using Products = CacheReader::Products;

Products zeros(KernelBuilder& k, size_t queries, int64_t vectors, int64_t lanes) {
  Products sums(queries);
  for (auto& of_query : sums) {
    for (int64_t v = 0; v < vectors; ++v) of_query.push_back(k.variable(k.splat(k.f32(0), lanes)));
  }
  return sums;
}

Products loaded(KernelBuilder& k, Products variables) {
  for (auto& of_query : variables) {
    for (llvm::Value*& v : of_query) v = k.get(v);
  }
  return variables;
}

Products in_eights(KernelBuilder& k, const Products& products, int64_t lanes) {
  Products out(products.size());
  for (size_t i = 0; i < products.size(); ++i) {
    for (llvm::Value* p : products[i]) {
      for (int64_t n = 0; n < lanes / kLanes; ++n) out[i].push_back(k.part(p, n));
    }
  }
  return out;
}

// f16 and f32: element by element, each of a query meeting several vectors of keys. Where many queries share
// what is read, arithmetic binds, and sums take whole registers; a few wait for memory, and sums of 16 lanes
// made whole steps slower (PERFORMANCE.md).
class FloatReader : public CacheReader {
 public:
  FloatReader(KernelBuilder& builder, const PlanCache& cache)
      : CacheReader(builder, cache), half_(cache.dtype == DType::kv_f16) {}

  int64_t query_bytes() const override { return dim * 4; }
  int64_t most_queries() const override { return k.target().float_sums() / 2; }
  int64_t most_vectors(int64_t queries) const override {
    return value_sums(queries) * value_lanes(queries) / kLanes / queries;
  }
  int64_t steps() const override { return dim; }
  int64_t value_lanes(int64_t queries) const override {
    return many(queries) ? k.target().float_lanes() : kLanes;
  }
  int64_t value_sums(int64_t queries) const override { return many(queries) ? k.target().float_sums() : 8; }

  Products products(const std::vector<llvm::Value*>& queries, llvm::Value* keys, int64_t vectors,
                    const std::function<void(llvm::Value*)>& meanwhile) override {
    const int64_t lanes = value_lanes(static_cast<int64_t>(queries.size()));
    const int64_t registers = vectors * kLanes / lanes;
    Products sums = zeros(k, queries.size(), registers, lanes);
    k.loop(k.i64(0), k.i64(dim), 1, [&](llvm::Value* j) {
      meanwhile(j);
      std::vector<llvm::Value*> key;
      for (int64_t v = 0; v < registers; ++v) key.push_back(key_of(keys, j, v * lanes, lanes));
      for (size_t i = 0; i < queries.size(); ++i) {
        llvm::Value* q = k.splat(k.load(b.getFloatTy(), k.at(queries[i], k.mul(j, 4)), 4), lanes);
        for (size_t v = 0; v < key.size(); ++v) k.set(sums[i][v], k.fma(key[v], q, k.get(sums[i][v])));
      }
    });
    return in_eights(k, loaded(k, std::move(sums)), lanes);
  }

  std::vector<llvm::Value*> values(llvm::Value* values, llvm::Value* slot, llvm::Value* column,
                                   int64_t vectors, int64_t lanes) override {
    llvm::Value* row =
        k.at(values, k.add(k.mul(slot, layout.v_position_bytes), k.mul(column, layout.element_bytes)));
    std::vector<llvm::Value*> out;
    for (int64_t n = 0; n < vectors; ++n)
      out.push_back(k.widen(load(k.at(row, n * lanes * layout.element_bytes), lanes)));
    return out;
  }

 private:
  bool many(int64_t queries) const { return queries == most_queries(); }

  // Number j of the keys of so many positions, of which eight lie side by side.
  llvm::Value* key_of(llvm::Value* keys, llvm::Value* j, int64_t position, int64_t lanes) {
    llvm::Value* all = nullptr;
    for (int64_t p = position; p < position + lanes; p += kLanes) {
      llvm::Value* offset = k.mul(j, kLanes * layout.element_bytes);
      llvm::Value* eight = load(k.at(keys, k.add(k.i64(p * layout.k_position_bytes), offset)), kLanes);
      all = all ? k.beside(all, eight) : eight;
    }
    return k.widen(all);
  }

  llvm::Value* load(llvm::Value* address, int64_t lanes) {
    llvm::Type* type = half_ ? b.getHalfTy() : b.getFloatTy();
    return k.load(k.vector(type, lanes), address, layout.element_bytes);
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
  int64_t most_queries() const override { return 4; }
  int64_t most_vectors(int64_t queries) const override {
    return k.target().float_lanes() / kLanes * 8 / queries;
  }
  int64_t steps() const override { return layout.k_row / kQ8Block; }
  int64_t value_lanes(int64_t) const override { return k.target().float_lanes(); }
  int64_t value_sums(int64_t) const override { return k.target().float_sums(); }

  Products products(const std::vector<llvm::Value*>& queries, llvm::Value* keys, int64_t vectors,
                    const std::function<void(llvm::Value*)>& meanwhile) override {
    const int64_t blocks = vectors * kLanes / kPositions;
    Products sums = zeros(k, queries.size(), blocks, kPositions);
    k.loop(k.i64(0), k.i64(steps()), 1, [&](llvm::Value* step) {
      meanwhile(step);
      const Activations activations(k, dim, step);
      const Products whole =
          dots(queries, activations, k.at(keys, k.mul(step, kQ8Block * kPositions)), blocks);
      for (size_t v = 0; v < static_cast<size_t>(blocks); ++v) {
        llvm::Value* at =
            k.at(keys, k.add(k.i64(offset(v) + kPositions * layout.k_row), k.mul(step, kPositions * 2)));
        llvm::Value* key_scales = k.widen(k.load(k.vector(b.getHalfTy(), kPositions), at, 2));
        for (size_t i = 0; i < queries.size(); ++i) {
          llvm::Value* scale = b.CreateFMul(key_scales, k.splat(activations.scale(queries[i]), kPositions));
          llvm::Value* product = b.CreateSIToFP(whole[i][v], scale->getType());
          k.set(sums[i][v], k.fma(product, scale, k.get(sums[i][v])));
        }
      }
    });
    return in_eights(k, loaded(k, std::move(sums)), kPositions);
  }

  std::vector<llvm::Value*> values(llvm::Value* values, llvm::Value* slot, llvm::Value* column,
                                   int64_t vectors, int64_t lanes) override {
    llvm::Value* in_block = b.CreateAnd(slot, k.i64(kPositions - 1));
    llvm::Value* block = k.at(values, k.mul(b.CreateAnd(slot, k.i64(-kPositions)), layout.v_position_bytes));
    llvm::Value* row = k.at(block, k.add(k.mul(in_block, layout.v_row), column));
    llvm::Value* scales =
        k.add(k.mul(in_block, layout.v_row / kQ8Block), b.CreateUDiv(column, k.i64(kQ8Block)));
    std::vector<llvm::Value*> out;
    llvm::Value* scale = nullptr;
    for (int64_t n = 0; n < vectors; ++n) {
      if (n * lanes % kQ8Block == 0) {
        llvm::Value* index = k.add(scales, k.i64(n * lanes / kQ8Block));
        llvm::Value* half =
            k.load(b.getHalfTy(), k.at(block, k.add(k.i64(kPositions * layout.v_row), k.mul(index, 2))), 2);
        scale = k.splat(b.CreateFPExt(half, b.getFloatTy()), lanes);
      }
      llvm::Value* numbers = k.load(k.vector(b.getInt8Ty(), lanes), k.at(row, n * lanes));
      out.push_back(b.CreateFMul(b.CreateSIToFP(numbers, scale->getType()), scale));
    }
    return out;
  }

 private:
  static constexpr int64_t kPositions = 16;  // of a block

  int64_t offset(size_t block) const {
    return static_cast<int64_t>(block) * kPositions * layout.k_position_bytes;
  }

  // Of 32 numbers, the first at `keys`, and so many blocks of positions. The loop over quads stays a loop, as
  // in layouts/q8_0.cpp.
  Products dots(const std::vector<llvm::Value*>& queries, const Activations& activations, llvm::Value* keys,
                int64_t blocks) {
    constexpr int64_t kQuad = 4 * kPositions;  // bytes of 4 numbers of a block
    const Target& target = k.target();
    Products out(queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      llvm::Value* sum = target.wants_block_sums() ? activations.sum(queries[i]) : nullptr;
      for (int64_t v = 0; v < blocks; ++v)
        out[i].push_back(k.variable(target.start_int8(b, sum, kPositions)));
    }
    k.loop(k.i64(0), k.i64(kQ8Block / 4), 1, [&](llvm::Value* quad) {
      std::vector<Target::Prepared> key;
      for (size_t v = 0; v < static_cast<size_t>(blocks); ++v) {
        llvm::Value* at = k.at(keys, k.add(k.i64(offset(v)), k.mul(quad, kQuad)));
        key.push_back(target.prepare_int8(b, k.load(k.vector(b.getInt8Ty(), kQuad), at)));
      }
      for (size_t i = 0; i < queries.size(); ++i) {
        llvm::Value* four = activations.repeated(queries[i], quad, kPositions);
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
