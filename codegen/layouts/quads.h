// How blocks of quads (4 columns of a group's rows, side by side) meet rows of activations.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/kernels/builder.h"
#include "codegen/weight_layout.h"

namespace lmc {

// dot(i, m, weights(i, quad), activations(m, quad)) for every group i, row m and quad, `count` of these in a
// loop. The loop stays one: unrolled, LLVM reorders it token by token and spills the weights.
template <class Weights, class Rows, class Dot>
void for_quads(KernelBuilder& k, const Contraction& c, int64_t count, const Weights& weights,
               const Rows& activations, const Dot& dot) {
  llvm::Value* first = k.i64(0);
  k.loop(first, k.i64(count), 1, [&](llvm::Value* quad) {
    if (c.beside) c.beside(quad);
    // The fewer ones stay in registers while the others pass.
    if (c.x.size() < c.w.size()) {
      std::vector<decltype(activations(size_t{0}, quad))> xs;
      for (size_t m = 0; m < c.x.size(); ++m) xs.push_back(activations(m, quad));
      for (size_t i = 0; i < c.w.size(); ++i) {
        const auto w = weights(i, quad);
        for (size_t m = 0; m < c.x.size(); ++m) dot(i, m, w, xs[m]);
      }
    } else {
      std::vector<decltype(weights(size_t{0}, quad))> ws;
      for (size_t i = 0; i < c.w.size(); ++i) ws.push_back(weights(i, quad));
      for (size_t m = 0; m < c.x.size(); ++m) {
        const auto x = activations(m, quad);
        for (size_t i = 0; i < c.w.size(); ++i) dot(i, m, ws[i], x);
      }
    }
  });
}

}  // namespace lmc
