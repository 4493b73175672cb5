// Cosines and sines of rotary position embeddings (Su et al. 2021), once per step for all layers.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"
#include "ir/rope_frequencies.h"

namespace lmc::ops::rope_angles {
namespace {

void check_factors(const InferArgs& a, const std::string& name) {
  const std::vector<double>& factors = a.reals(name);
  require(static_cast<int64_t>(factors.size()) == a.integer("dims") / 2, [&] {
    return name + " must be dims/2 = " + std::to_string(a.integer("dims") / 2) + " numbers, found " +
           std::to_string(factors.size());
  });
  require(std::all_of(factors.begin(), factors.end(), [](double f) { return f > 0; }),
          [&] { return name + " must be positive"; });
}

const RegisterOp kOp(OpDef{
    .name = "rope_angles",
    .doc =
        "first dims/2 lanes cos(pos * frequency j), then the sines; frequency j = theta^(-2j/dims) / factor",
    .category = OpCategory::row,
    .operands = {{"pos", "[T] i32"},
                 {"length", "[T] i32 positions that the row's sequence has in all; needed by long_factors",
                  true}},
    .attrs =
        {{"dims", AttrKind::integer, std::nullopt, "rotated lanes of a head, even"},
         {"theta", AttrKind::real, std::nullopt, "base of the frequencies"},
         {"factor", AttrKind::real, 1.0, "frequencies are divided by it: a longer context"},
         {"high_freq_factor", AttrKind::real, 0.0,
          "lanes that turn more often than this within `original` positions keep their frequency, …"},
         {"low_freq_factor", AttrKind::real, 0.0,
          "… less often than this: divided by factor, between: in between; with high 0 all are divided"},
         {"original", AttrKind::integer, int64_t{0}, "the context before it was made longer"},
         {"beta_fast", AttrKind::real, 0.0,
          "yarn (Peng et al. 2023): lanes that turn more often than this within `original` positions keep "
          "their frequency, …"},
         {"beta_slow", AttrKind::real, 0.0,
          "… less often than this: divided by factor, between: a ramp over the lanes' numbers; with "
          "beta_fast 0 there is none"},
         {"truncate", AttrKind::integer, int64_t{1},
          "1: yarn's ramp begins and ends at whole numbers of lanes, rounded outwards; 0: where it falls"},
         {"short_factors", AttrKind::reals, std::vector<double>{},
          "longrope: frequency j is divided by number j of this list, …"},
         {"long_factors", AttrKind::reals, std::vector<double>{},
          "… or of this one, at all positions alike, if the sequence's length is more than `original`"},
         {"short_scale", AttrKind::real, 1.0, "cosines and sines are multiplied by it (yarn too), …"},
         {"long_scale", AttrKind::real, 1.0, "… or by this one where long_factors count"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].dtype == DType::i32 && a[0].rank() == 1,
                  [&] { return "pos must be i32[T], found " + a[0].str(); });
          require(a.size() < 2 || a[1] == a[0], [&] {
            return "length must be i32[T] as pos is, found " + (a.size() < 2 ? "" : a[1].str());
          });
          const int64_t dims = a.integer("dims");
          require(dims > 0 && dims % 2 == 0 && dims < 65536, "dims must be even and positive");
          require(a.real("theta") > 0 && a.real("factor") > 0, "theta and factor must be positive");
          if (const double high = a.real("high_freq_factor"); high != 0) {
            require(high > a.real("low_freq_factor") && a.real("low_freq_factor") >= 0,
                    "high_freq_factor must be above low_freq_factor, and both not negative");
            require(a.integer("original") > 0,
                    "bands of frequencies need original, the context they refer to");
          }
          if (const double fast = a.real("beta_fast"); fast != 0) {
            require(fast > a.real("beta_slow") && a.real("beta_slow") > 0,
                    "beta_fast must be above beta_slow, and both positive");
            require(a.integer("original") > 0, "yarn needs original, the context its bounds refer to");
            require(a.real("theta") > 1, "yarn needs a theta above 1");
            require(a.real("high_freq_factor") == 0, "either bands or yarn's ramp, not both");
          }
          const int64_t truncate = a.integer("truncate");
          require(truncate == 0 || truncate == 1, "truncate must be 0 or 1");
          require(a.real("short_scale") > 0 && a.real("long_scale") > 0,
                  "short_scale and long_scale must be positive");
          if (!a.reals("short_factors").empty() || !a.reals("long_factors").empty()) {
            check_factors(a, "short_factors");
            check_factors(a, "long_factors");
            require(a.integer("original") > 0, "two lists of factors need original, where they change");
            require(a.size() == 2, "two lists of factors need length, the sequence's");
          }
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], dims}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const int64_t dims = a.integer("dims");
          const int64_t border = rope_border(a.attrs);
          const std::vector<double> near = rope_frequencies(a.attrs, false);
          const std::vector<double> far = border > 0 ? rope_frequencies(a.attrs, true) : near;
          Tensor y = make_tensor(DType::f32, {a[0].dims[0], dims});
          for (int64_t t = 0; t < y.rows(); ++t) {
            const auto row = static_cast<size_t>(t);
            const bool beyond = border > 0 && a[1].data[row] > static_cast<double>(border);
            const double scale = rope_scale(a.attrs, beyond);
            for (int64_t j = 0; j < dims / 2; ++j) {
              const double angle = a[0].data[row] * (beyond ? far : near)[static_cast<size_t>(j)];
              y.row(t)[j] = scale * std::cos(angle);
              y.row(t)[j + dims / 2] = scale * std::sin(angle);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 20.0 * static_cast<double>(a.integer("dims")); },
});

}  // namespace
}  // namespace lmc::ops::rope_angles
