// Cosines and sines of rotary position embeddings (Su et al. 2021), once per step for all layers.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(OpDef{
    .name = "rope_angles",
    .doc = "first dims/2 lanes cos(pos * theta^(-2j/dims) / factor), then the sines",
    .shape = OpShape::row,
    .operands = {{"pos", "[T] i32"}},
    .attrs = {{"dims", AttrKind::integer, std::nullopt, "rotated lanes of a head, even"},
              {"theta", AttrKind::real, std::nullopt, "base of the frequencies"},
              {"factor", AttrKind::real, 1.0, "linear scaling: positions are divided by it"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].dtype == DType::i32 && a[0].rank() == 1, "pos must be i32[T], found " + a[0].str());
          const int64_t dims = a.integer("dims");
          require(dims > 0 && dims % 2 == 0 && dims < 65536, "dims must be even and positive");
          require(a.real("theta") > 0 && a.real("factor") > 0, "theta and factor must be positive");
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], dims}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const int64_t dims = a.integer("dims");
          Tensor y = make_tensor(DType::f32, {a[0].dims[0], dims});
          for (int64_t t = 0; t < y.rows(); ++t) {
            for (int64_t j = 0; j < dims / 2; ++j) {
              const double frequency =
                  std::pow(a.real("theta"), -2.0 * static_cast<double>(j) / static_cast<double>(dims));
              const double angle = a[0].data[static_cast<size_t>(t)] * frequency / a.real("factor");
              y.row(t)[j] = std::cos(angle);
              y.row(t)[j + dims / 2] = std::sin(angle);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 20.0 * static_cast<double>(a.integer("dims")); },
});

}  // namespace
}  // namespace lmc
