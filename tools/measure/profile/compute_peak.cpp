#include "tools/measure/profile/compute_peak.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "codegen/arithmetic_loops.h"
#include "codegen/codegen.h"
#include "ir/kernel_abi.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSlice = std::chrono::milliseconds(50);
constexpr int kSlices = 4;

// Calls per second of `loop`, summed over the threads, while all of them run.
double calls_per_second(int threads, KernelFn loop) {
  std::vector<double> rates(static_cast<size_t>(threads));
  std::atomic<int> ready{0};  // counts; nothing is handed over
  {
    std::vector<std::jthread> workers;
    for (double& rate : rates) {
      workers.emplace_back([&] {
        const auto memory = std::make_unique<ArithmeticMemory>();
        ++ready;
        while (ready < threads) std::this_thread::yield();
        const auto begin = Clock::now();
        auto now = begin;
        int64_t calls = 0;
        for (; now - begin < kSlice; now = Clock::now(), ++calls) loop(nullptr, nullptr, 0, -1, memory.get());
        rate = static_cast<double>(calls) / std::chrono::duration<double>(now - begin).count();
      });
    }
  }
  double sum = 0;
  for (const double r : rates) sum += r;
  return sum;
}

double best_rate(int threads, KernelFn loop) {
  double best = 0;
  for (int i = 0; i < kSlices; ++i) best = std::max(best, calls_per_second(threads, loop));
  return best;
}

}  // namespace

ComputePeak measure_compute_peak(int threads, const std::string& target) {
  const ArithmeticLoops code = emit_arithmetic_loops(target);
  const LoadedKernels kernels(code.object);
  ComputePeak out;
  for (const ArithmeticLoop& loop : code.loops) {
    const auto call = reinterpret_cast<KernelFn>(kernels.find(loop.symbol));
    const double rate = best_rate(threads, call) * loop.multiply_adds;
    switch (loop.of) {
      case Arithmetic::int8:
        out.int8_macs = rate;
        break;
      case Arithmetic::unit:
        out.unit_macs = rate;
        break;
      case Arithmetic::f32:
        out.f32_flops = 2 * rate;
        break;
    }
  }
  return out;
}

ComputePeak better_of(const ComputePeak& a, const ComputePeak& b) {
  return {std::max(a.int8_macs, b.int8_macs), std::max(a.unit_macs, b.unit_macs),
          std::max(a.f32_flops, b.f32_flops)};
}

}  // namespace lmc
