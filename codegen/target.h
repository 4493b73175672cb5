// What differs between instruction sets. Kernels are written against this; only target.cpp names
// instructions.
#pragma once

#include <string>
#include <vector>

namespace llvm {
class IRBuilderBase;
class Value;
}  // namespace llvm

namespace lmc {

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string name() const = 0;      // "avx2"
  virtual std::string cpu() const = 0;       // LLVM's -mcpu
  virtual std::string features() const = 0;  // LLVM's -mattr
  virtual std::string triple() const = 0;
  virtual bool supported_here() const = 0;  // can this CPU run it?

  // One step of the exact int8 dot product: 8 lanes (rows) of 4 consecutive k each.
  // `weights` <32 x i8> holds 4 k of 8 rows; `activations` <32 x i8> the same 4 k repeated 8 times.
  // Returns sums + the 8 partial dot products, <8 x i32>. Exact for weights in [-128,127] and activations in
  // [-127,127]. What depends on the weights alone may be prepared once with `prepare` and shared by tokens.
  struct Prepared {
    llvm::Value* weights;
    llvm::Value* magnitude;
  };
  virtual Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const = 0;
  virtual llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                                llvm::Value* sums) const = 0;
  // The sums that a block of 32 k begins with, <8 x i32>. Where wants_block_sums(), `block_sum` is the i32
  // sum of the block's activations, which quantised activations then carry beside their scale; else it is
  // null.
  virtual bool wants_block_sums() const { return false; }
  virtual llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value* block_sum) const = 0;
  // The same for a block of 32 k whose weights are 0 … 15 as u8: sums, in the lanes the target likes best,
  // from zero over at most 8 steps to the <8 x i32> that finish_uint4 returns.
  virtual llvm::Value* start_uint4(llvm::IRBuilderBase& b) const = 0;
  virtual llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                                 llvm::Value* sums) const = 0;
  virtual llvm::Value* finish_uint4(llvm::IRBuilderBase& b, llvm::Value* sums) const = 0;
  // Groups of 8 weight rows (1, 2 or 4) that meet 8 tokens at once when there are many: as many sums as
  // registers hold.
  virtual int64_t groups_at_once() const { return 1; }
};

// The targets this CPU runs, best first; "avx2" is the base of them all.
std::vector<const Target*> targets_here();

// Throws Error naming the known targets. "native" = the best one this CPU runs.
const Target& find_target(const std::string& name);

}  // namespace lmc
