// Loops that multiply as fast as a target's instructions can, from the first level of the cache: ceilings for
// kernels that memory does not hold back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lmc {

// Exact int8 products of vectors, the same by a matrix unit, fused multiply-adds in f32.
enum class Arithmetic : uint8_t { int8, unit, f32 };

// What a call reads and writes: its scratch (KernelFn; it looks at nothing else).
struct alignas(64) ArithmeticMemory {
  static constexpr size_t kBytes = 2048;
  std::array<int8_t, kBytes> bytes;
  std::array<float, kBytes / 4> floats;
  std::array<int32_t, 1024> sums{};  // with operands of 1 they add up to the multiply-adds of the call

  ArithmeticMemory() { bytes.fill(1), floats.fill(1); }
};

struct ArithmeticLoop {
  Arithmetic of;
  std::string symbol;
  double multiply_adds = 0;  // of a call, which takes some tens of microseconds
};

struct ArithmeticLoops {
  std::string object;  // for LoadedKernels
  std::vector<ArithmeticLoop> loops;
};

// Of the target with that name: int8 and f32, and unit if it has one. Error if there is no such target.
ArithmeticLoops emit_arithmetic_loops(const std::string& target);

}  // namespace lmc
