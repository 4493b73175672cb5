// A thin layer over IRBuilder for kernels: vectors of 8 floats, counted loops, byte addresses.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <string>

#include "codegen/target.h"

namespace lmc {

inline constexpr int64_t kLanes = 8;

class KernelBuilder {
 public:
  // Starts the function `name` with the signature of lmc::KernelFn (ir/kernel_abi.h).
  KernelBuilder(llvm::Module& module, const Target& target, const std::string& name);
  void finish();  // ret void

  llvm::IRBuilder<>& ir() { return b_; }
  const Target& target() const { return target_; }

  llvm::Value* tile() { return fn_->getArg(2); }
  llvm::Value* next() { return fn_->getArg(3); }  // the tile this worker runs next, or -1
  llvm::Value* scratch() { return fn_->getArg(4); }
  llvm::Value* operands() { return fn_->getArg(0); }  // the table of operands, one of each stage
  llvm::Value* operand(int index);                    // base address of a stage operand
  llvm::Value* tokens();                              // StepInfo::tokens
  llvm::Value* rows();                                // StepInfo::rows
  llvm::Value* cycles();                              // StepInfo::cycles
  llvm::Value* serial();                              // StepInfo::serial
  llvm::Value* best();                                // StepInfo::argmax
  llvm::Value* allowed();                             // StepInfo::allowed
  llvm::Value* spans();                               // StepInfo::spans
  llvm::Value* span_count();                          // StepInfo::span_count
  // Where a list begins of the pages of a cache of the token's sequence, from the operand that stands for it;
  // and where page `number` of the list lies.
  llvm::Value* pages(llvm::Value* operand, llvm::Value* token);
  llvm::Value* page(llvm::Value* pages, llvm::Value* number);

  llvm::Value* i64(int64_t v) { return b_.getInt64(static_cast<uint64_t>(v)); }
  llvm::Value* f32(double v) { return llvm::ConstantFP::get(b_.getFloatTy(), v); }
  // What is done lane by lane is done to so many at once: kLanes, or more within WithLanes.
  int64_t lanes() const { return lanes_; }
  llvm::Value* splat(double v) { return splat(f32(v), lanes_); }
  llvm::Value* splat(llvm::Value* scalar) { return splat(scalar, lanes_); }
  // For vectors of other widths: groups of weight rows are 8, 16 or 32 wide.
  llvm::Value* splat(llvm::Value* scalar, int64_t lanes) {
    return b_.CreateVectorSplat(static_cast<unsigned>(lanes), scalar);
  }
  llvm::Type* vector(llvm::Type* of, int64_t lanes) {
    return llvm::FixedVectorType::get(of, static_cast<unsigned>(lanes));
  }
  // Lanes [n lanes(), (n + 1) lanes()).
  llvm::Value* part(llvm::Value* v, int64_t n);
  llvm::Value* beside(llvm::Value* a, llvm::Value* c);  // the lanes of one, then of the other, as many
  llvm::Type* floats() { return vector(b_.getFloatTy(), lanes_); }
  llvm::Type* ints() { return vector(b_.getInt32Ty(), lanes_); }

  llvm::Value* at(llvm::Value* base, llvm::Value* bytes) { return b_.CreateGEP(b_.getInt8Ty(), base, bytes); }
  llvm::Value* at(llvm::Value* base, int64_t bytes) { return at(base, i64(bytes)); }
  llvm::Value* load(llvm::Type* type, llvm::Value* address, int64_t align = 1);
  void store(llvm::Value* value, llvm::Value* address, int64_t align = 1);
  // The first `lanes` lanes only (1 … lanes()).
  void store_lanes(llvm::Value* value, llvm::Value* address, int64_t lanes);
  void store_masked(llvm::Value* value, llvm::Value* address, llvm::Value* mask);

  // The cache line, into the first level of the cache or the second; never faults.
  void prefetch(llvm::Value* address, int64_t level = 1);

  llvm::Value* add(llvm::Value* a, llvm::Value* c) { return b_.CreateAdd(a, c); }
  llvm::Value* mul(llvm::Value* a, int64_t c) { return b_.CreateMul(a, i64(c)); }
  llvm::Value* min(llvm::Value* a, llvm::Value* c) {
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, c);
  }
  llvm::Value* max(llvm::Value* a, llvm::Value* c) {
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, c);
  }
  llvm::Value* fma(llvm::Value* a, llvm::Value* c, llvm::Value* addend);
  void add_product(llvm::Value* sum, llvm::Value* a, llvm::Value* c);  // *sum += a * c, as one fma
  // Vectors of half (f16), i16 (the bits of bf16) or float to f32.
  llvm::Value* widen(llvm::Value* numbers);
  llvm::Value* lane_ids();  // <0, 1, … lanes() - 1> of i64

  // Lanes at or beyond `lanes` become zero.
  llvm::Value* keep_lanes(llvm::Value* v, int64_t lanes);
  // Sum and maximum of 8 lanes in one fixed order: ((0+4)+(2+6)) + ((1+5)+(3+7)).
  llvm::Value* sum_lanes(llvm::Value* v);
  llvm::Value* max_lanes(llvm::Value* v);

  // A variable that loops may change: lives in memory until LLVM's SROA lifts it into a register.
  llvm::Value* variable(llvm::Value* initial);
  llvm::Value* get(llvm::Value* variable);
  llvm::Value* buffer(int64_t bytes, int64_t align);  // of the kernel's own stack
  void set(llvm::Value* variable, llvm::Value* value) { b_.CreateStore(value, variable); }

  void loop(llvm::Value* first, llvm::Value* end, int64_t step,
            const std::function<void(llvm::Value*)>& body);
  void if_then(llvm::Value* condition, const std::function<void()>& body);

 private:
  llvm::Module& module_;
  const Target& target_;
  llvm::IRBuilder<> b_;
  llvm::Function* fn_;
  int64_t lanes_ = kLanes;

  friend class WithLanes;
};

// While it lives, code is emitted for so many lanes.
class WithLanes {
 public:
  WithLanes(KernelBuilder& k, int64_t lanes) : k_(k), before_(k.lanes_) { k.lanes_ = lanes; }
  WithLanes(const WithLanes&) = delete;
  WithLanes& operator=(const WithLanes&) = delete;
  ~WithLanes() { k_.lanes_ = before_; }

 private:
  KernelBuilder& k_;
  const int64_t before_;
};

}  // namespace lmc
