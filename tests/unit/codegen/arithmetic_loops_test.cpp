// Ceilings are true only if the loops multiply as often as they say: with operands of 1 the sums count it.
#include "codegen/arithmetic_loops.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>

#include "codegen/codegen.h"
#include "codegen/target.h"
#include "ir/error.h"
#include "ir/kernel_abi.h"

namespace lmc {
namespace {

TEST(ArithmeticLoops, multiply_as_often_as_they_say) {
  std::vector<std::string> names{"emulated-unit"};  // of matrix_unit_test.cpp: it is avx2 and a unit
  for (const Target* target : targets_here()) names.push_back(target->name());
  for (const std::string& name : names) {
    const ArithmeticLoops code = emit_arithmetic_loops(name);
    const LoadedKernels kernels(code.object);
    std::vector<Arithmetic> kinds;
    for (const ArithmeticLoop& loop : code.loops) {
      SCOPED_TRACE(name + " " + loop.symbol);
      const auto memory = std::make_unique<ArithmeticMemory>();
      reinterpret_cast<KernelFn>(kernels.find(loop.symbol))(nullptr, nullptr, 0, -1, memory.get());
      const auto counted = std::accumulate(memory->sums.begin(), memory->sums.end(), int64_t{0});
      EXPECT_EQ(static_cast<double>(counted), loop.multiply_adds);
      EXPECT_GE(counted, 1'000'000);
      kinds.push_back(loop.of);
    }
    std::vector<Arithmetic> expected{Arithmetic::int8, Arithmetic::unit, Arithmetic::f32};
    if (!find_target(name).matrix_unit()) expected.erase(expected.begin() + 1);
    EXPECT_EQ(kinds, expected) << name;
  }
}

// What this CPU cannot run is at least code.
TEST(ArithmeticLoops, compile_for_a_matrix_unit) {
  const ArithmeticLoops code = emit_arithmetic_loops("avx512-amx");
  EXPECT_EQ(code.loops.size(), 3U);
  EXPECT_NE(LoadedKernels(code.object).find("unit"), nullptr);
}

TEST(ArithmeticLoops, refuse_an_unknown_target) { EXPECT_THROW(emit_arithmetic_loops("abacus"), Error); }

}  // namespace
}  // namespace lmc
