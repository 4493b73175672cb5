// What several operators share.
#pragma once

#include <functional>

#include "ir/op_def.h"

namespace lmc::ops {

// f32 activation [T or R, …].
inline void require_activation(const Type& t, const char* what) {
  require(t.dtype == DType::f32 && t.rank() >= 1,
          [&] { return std::string(what) + " must be f32 rows, found " + t.str(); });
}

inline void require_vector(const Type& t, int64_t n, const char* what) {
  require(is_float(t.dtype) && t.rank() == 1 && t.dims[0] == n, [&] {
    return std::string(what) + " must be a vector of " + std::to_string(n) + ", found " + t.str();
  });
}

// A cache of keys and values.
inline CacheShape require_keys(const Type& t) {
  require(is_kv(t.dtype) && (t.rank() == 3 || t.rank() == 4),
          [&] { return "kv must be a cache of keys and values, found " + t.str(); });
  return cache_shape(t);
}

// A cache of rows, which are kept as they are.
inline CacheShape require_rows(const Type& t) {
  require(t.dtype == DType::kv_f32 && t.rank() == 2,
          [&] { return "this needs a cache of rows, kv_f32 [span, D], found " + t.str(); });
  return cache_shape(t);
}

// Of the tokens that `x` has a row of.
inline void require_positions(const Type& pos, const Type& x, const char* what) {
  require(pos.dtype == DType::i32 && pos.rank() == 1 && pos.dims[0] == x.dims[0], [&] {
    return "pos must be i32[" + dim_name(x.dims[0]) + "] like " + what + ", found " + pos.str();
  });
}

// Positions join a cache in order.
inline void require_next(const Tensor& cache, double pos) {
  const int64_t next = cache.first + cache.dims[0];
  require(static_cast<int64_t>(pos) == next, [&] {
    return "position " + std::to_string(static_cast<int64_t>(pos)) + " does not follow a cache of " +
           std::to_string(next);
  });
}

// Input and weight of a contraction: quantised weights, of whatever format, meet activations in Q8_0.
inline void require_product(const Type& x, const Type& w) {
  require(is_quantised(w.dtype) ? x.dtype == DType::q8_0 : (x.dtype == DType::f32 && is_float(w.dtype)), [&] {
    return "a quantised weight needs an input in q8_0, and a float weight one in f32, found " + x.str() +
           " and " + w.str();
  });
}

// y[i] = f(x[i]).
inline OpDef unary(const std::string& name, const std::string& doc,
                   std::function<double(double, const EvalArgs&)> f, std::vector<AttrDef> attrs = {}) {
  OpDef def;
  def.name = name;
  def.doc = doc;
  def.category = OpCategory::elementwise;
  def.operands = {{"x", "[.., N] f32"}};
  def.attrs = std::move(attrs);
  def.infer = [](const InferArgs& a) {
    require_activation(a[0], "x");
    return std::vector<Type>{a[0]};
  };
  def.eval = [f = std::move(f)](const EvalArgs& a) {
    Tensor y = a[0];
    for (double& v : y.data) v = f(v, a);
    return std::vector<Tensor>{std::move(y)};
  };
  return def;
}

// The same for the nonlinearity of a network, which fusions know by its class. Takes an exponential or the
// like.
inline OpDef activation(const std::string& name, const std::string& doc,
                        std::function<double(double, const EvalArgs&)> f) {
  OpDef def = unary(name, doc, std::move(f));
  def.activation = true;
  def.exps = 1;
  return def;
}

// y[i] = f(a[i], b[i]); b may be a vector [N] repeated over the rows of a.
inline OpDef binary(const std::string& name, const std::string& doc, bool commutative,
                    std::function<double(double, double)> f) {
  OpDef def;
  def.name = name;
  def.doc = doc;
  def.category = OpCategory::elementwise;
  def.commutative = commutative;
  def.operands = {{"a", "[.., N] f32"}, {"b", "the same shape, or a vector [N] repeated over the rows"}};
  def.infer = [](const InferArgs& a) {
    require_activation(a[0], "a");
    if (a[1] != a[0]) {
      require(is_float(a[1].dtype) && a[1].rank() == 1 && a[1].last() == a[0].last(), [&] {
        return "operands must have one shape, or the second be [" + dim_name(a[0].last()) + "]; found " +
               a[0].str() + " and " + a[1].str();
      });
    }
    return std::vector<Type>{a[0]};
  };
  def.eval = [f = std::move(f)](const EvalArgs& a) {
    Tensor y = a[0];
    const size_t n = a[1].data.size();
    for (size_t i = 0; i < y.data.size(); ++i) y.data[i] = f(y.data[i], a[1].data[i % n]);
    return std::vector<Tensor>{std::move(y)};
  };
  return def;
}

}  // namespace lmc::ops
