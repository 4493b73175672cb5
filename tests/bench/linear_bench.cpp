// Projections at the shapes of Gemma 3 1B and GPT-2: a pair, there and back, for 1, 8 and 64 tokens. With one
// token several pairs follow each other, so that their weights come from memory and not from the cache.
#include <algorithm>

#include "tests/bench/kernel_bench.h"

namespace lmc {
namespace {

void linear(benchmark::State& state, LinearFormat format) {
  const int64_t in = state.range(0);
  const int64_t out = state.range(1);
  const int64_t tokens = state.range(2);
  const double pair_weights = 2.0 * static_cast<double>(in * out);
  const int64_t pairs =
      tokens > 1 ? 1 : std::clamp<int64_t>(static_cast<int64_t>(64e6 / pair_weights), 1, 16);
  GraphProgram& program = program_of(linear_chain(in, out, pairs, format), 64);
  run_steps(state, program, tokens);
  state.counters["MAC/s"] = per_second(pair_weights * static_cast<double>(pairs * tokens));
  if (tokens == 1) state.counters["weight B/s"] = per_second(program.weight_bytes());
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "tokens"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (auto [in, out] : {std::pair{768, 2304}, {768, 3072}, {1152, 1536}, {1152, 6912}, {1152, 13824}}) {
    for (int tokens : {1, 8, 64}) b->Args({in, out, tokens});
  }
}

BENCHMARK_CAPTURE(linear, f32, LinearFormat::f32)->Apply(shapes);
BENCHMARK_CAPTURE(linear, q8_0, LinearFormat::q8_0)->Apply(shapes);

}  // namespace
}  // namespace lmc
