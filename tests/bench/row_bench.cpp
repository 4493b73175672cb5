// Row kernels: RMS norm, and the quantising of activations (with the small projection that needs it).
#include "tests/bench/kernel_bench.h"

namespace lmc {
namespace {

void rms_norm(benchmark::State& state) {
  const int64_t dim = state.range(0);
  const std::string weights = "  weight @w : f32[" + std::to_string(dim) + "]\n";
  GraphProgram& program =
      program_of(step_text(dim, weights, "  %y = rms_norm(%x, @w) {eps=1e-6, offset=1}\n"), 64);
  run_steps(state, program, state.range(1));
}

void quantize(benchmark::State& state) {
  const int64_t dim = state.range(0);
  const std::string weights = "  weight @w : f32[8," + std::to_string(dim) + "]\n";
  GraphProgram& program = program_of(
      step_text(dim, weights, "  %q = quantize(%x)\n  %p = quantize(@w)\n  %y = linear(%q, %p)\n"), 64);
  run_steps(state, program, state.range(1));
}

void widths(benchmark::internal::Benchmark* b) {
  b->ArgNames({"", "tokens"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (int dim : {640, 768, 1152, 6912}) {
    for (int tokens : {1, 8, 64}) b->Args({dim, tokens});
  }
}

BENCHMARK(rms_norm)->Apply(widths);
BENCHMARK(quantize)->Apply(widths);

}  // namespace
}  // namespace lmc
