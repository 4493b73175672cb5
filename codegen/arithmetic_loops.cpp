#include "codegen/arithmetic_loops.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include "codegen/backend.h"
#include "codegen/kernels/builder.h"
#include "ir/out_of_memory.h"

namespace lmc {
namespace {

constexpr int64_t kRounds = 2000;
constexpr int64_t kChains = 8;  // sums in flight: enough to hide the latency of an addition or an fma
constexpr int64_t kQuad = 4;    // products of bytes that make one sum

constexpr auto kBytes = static_cast<int64_t>(ArithmeticMemory::kBytes);
constexpr auto kFloats = static_cast<int64_t>(offsetof(ArithmeticMemory, floats));
constexpr auto kSums = static_cast<int64_t>(offsetof(ArithmeticMemory, sums));

// kChains sums that begin at `start`; in each round one operand, made ready, meets all of them.
template <class Ready, class Add>
std::vector<llvm::Value*> sums_of_rounds(KernelBuilder& k, llvm::Value* start, int64_t operands,
                                         int64_t register_bytes, const Ready& ready, const Add& add) {
  std::vector<llvm::Value*> sums;
  for (int64_t c = 0; c < kChains; ++c) sums.push_back(k.variable(start));
  const int64_t count = kBytes / register_bytes;
  llvm::Value* first = k.at(k.scratch(), operands);
  k.loop(k.i64(0), k.i64(kRounds), 1, [&](llvm::Value* round) {
    const auto w = ready(k.at(first, k.mul(k.ir().CreateURem(round, k.i64(count)), register_bytes)));
    for (int64_t i = 0; i < count; ++i) {
      llvm::Value* sum = sums[static_cast<size_t>(i % kChains)];
      k.set(sum, add(w, k.at(first, i * register_bytes), k.get(sum)));
    }
  });
  for (llvm::Value*& sum : sums) sum = k.get(sum);
  return sums;
}

// Returns the multiply-adds of a call.
double emit_int8(KernelBuilder& k) {
  auto& b = k.ir();
  const Target& target = k.target();
  const int64_t lanes = target.float_lanes();
  const int64_t bytes = kQuad * lanes;
  llvm::Type* type = k.vector(b.getInt8Ty(), bytes);
  const int64_t products = kRounds * (kBytes / bytes) / kChains * kQuad;  // of a lane of a sum
  llvm::Value* start = target.start_int8(b, b.getInt32(static_cast<uint32_t>(products)), lanes);
  const auto sums = sums_of_rounds(
      k, start, 0, bytes, [&](llvm::Value* w) { return target.prepare_int8(b, k.load(type, w, bytes)); },
      [&](const Target::Prepared& w, llvm::Value* x, llvm::Value* sum) {
        return target.dot_int8(b, w, k.load(type, x, bytes), sum);
      });
  for (size_t c = 0; c < sums.size(); ++c)
    k.store(sums[c], k.at(k.scratch(), kSums + static_cast<int64_t>(c) * bytes), bytes);
  return static_cast<double>(products * lanes * kChains);
}

double emit_f32(KernelBuilder& k) {
  auto& b = k.ir();
  const int64_t lanes = k.target().float_lanes();
  const int64_t bytes = 4 * lanes;
  llvm::Type* type = k.vector(b.getFloatTy(), lanes);
  const auto load = [&](llvm::Value* at) { return k.load(type, at, bytes); };
  const auto sums = sums_of_rounds(
      k, llvm::Constant::getNullValue(type), kFloats, bytes, load,
      [&](llvm::Value* w, llvm::Value* x, llvm::Value* sum) { return k.fma(w, load(x), sum); });
  llvm::Type* whole = k.vector(b.getInt32Ty(), lanes);
  for (size_t c = 0; c < sums.size(); ++c) {
    k.store(b.CreateFPToSI(sums[c], whole), k.at(k.scratch(), kSums + static_cast<int64_t>(c) * bytes),
            bytes);
  }
  return static_cast<double>(kRounds * (kBytes / bytes) * lanes);
}

double emit_unit(KernelBuilder& k) {
  const MatrixUnit& unit = *k.target().matrix_unit();
  int64_t of_round = 0;
  unit.begin_full(k.ir(), k.scratch());
  k.loop(k.i64(0), k.i64(kRounds), 1, [&](llvm::Value*) { of_round = unit.multiply_full(k.ir()); });
  unit.end_full(k.ir(), k.at(k.scratch(), kSums));
  return static_cast<double>(kRounds * of_round);
}

}  // namespace

ArithmeticLoops emit_arithmetic_loops(const std::string& name) {
  const NotUnwound llvm;
  const Target& target = find_target(name);
  llvm::LLVMContext context;
  llvm::Module module("arithmetic", context);
  prepare_module(module, target);
  ArithmeticLoops out;
  const auto add = [&](Arithmetic of, const std::string& symbol, double (*emit)(KernelBuilder&)) {
    KernelBuilder k(module, target, symbol);
    out.loops.push_back({of, symbol, emit(k)});
    k.finish();
  };
  add(Arithmetic::int8, "int8", emit_int8);
  if (target.matrix_unit()) add(Arithmetic::unit, "unit", emit_unit);
  add(Arithmetic::f32, "f32", emit_f32);
  optimise(module, target);
  out.object = to_object(module, target);
  return out;
}

}  // namespace lmc
