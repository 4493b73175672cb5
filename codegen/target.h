// What differs between instruction sets: their idioms and the layouts they want. Kernels are written against
// this; only the files of targets/ name instructions. Adding a target is one file there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/type.h"

namespace llvm {
class IRBuilderBase;
class Value;
}  // namespace llvm

namespace lmc {

class WeightLayout;

// A unit of the CPU that multiplies small matrices of int8 exactly.
class MatrixUnit {
 public:
  static constexpr int64_t kTokens = 16, kRows = 16;  // of a product

  virtual ~MatrixUnit() = default;
  // A kernel claims the unit in front of its products and gives it back behind them. Products are of kTokens,
  // or of the `rest`: so many, i64, 1 to kTokens.
  virtual void begin(llvm::IRBuilderBase& b, llvm::Value* rest) const = 0;
  virtual void end(llvm::IRBuilderBase& b) const = 0;
  // What the next products are of: the tokens' rows of 32 int8, `apart` bytes (i64) from one to the next.
  virtual void load(llvm::IRBuilderBase& b, llvm::Value* activations, llvm::Value* apart,
                    bool rest) const = 0;
  // out[token][row], i32 at an address that is a multiple of 64: exact dot products with `weights`, int8 [k /
  // 4][row][k % 4].
  virtual void dot(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* out, bool rest) const = 0;

  // The most it can do, for who measures it: between begin and end, rounds of products of the largest
  // matrices it takes, all of them `operands`, 1 kB of int8. They are added up in `sums`, some 4 kB of i32 at
  // most. A round returns its multiply-adds.
  virtual void begin_full(llvm::IRBuilderBase& b, llvm::Value* operands) const = 0;
  virtual int64_t multiply_full(llvm::IRBuilderBase& b) const = 0;
  virtual void end_full(llvm::IRBuilderBase& b, llvm::Value* sums) const = 0;
};

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string name() const = 0;      // "avx2"
  virtual std::string cpu() const = 0;       // LLVM's -mcpu
  virtual std::string features() const = 0;  // LLVM's -mattr
  virtual std::string triple() const = 0;
  virtual bool supported_here() const = 0;  // can this CPU run it?
  virtual int preference() const = 0;       // of those that a CPU runs, "native" is the highest

  // How a matrix of rows × cols that a contraction reads is laid out, or each matrix of a stack. Error if
  // there is no layout for the format.
  virtual const WeightLayout& layout(DType format, int64_t rows, int64_t cols) const = 0;

  // One step of the exact int8 dot product: lanes (rows of weights, 8 or more) of 4 consecutive k each.
  // `weights` <4 lanes x i8> holds 4 k of each row; `activations` <4 lanes x i8> the same 4 k repeated for
  // each. Returns sums + the partial dot products, <lanes x i32>. Exact for weights in [-128,127] and
  // activations in [-127,127]. What depends on the weights alone may be prepared once with `prepare` and
  // shared by tokens.
  struct Prepared {
    llvm::Value* weights;
    llvm::Value* as_unsigned;
  };
  virtual Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const = 0;
  virtual llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                                llvm::Value* sums) const = 0;
  // Is as_unsigned all that products read?
  virtual bool prepares_for_good() const { return false; }
  // The sums that a block of 32 k begins with, <lanes x i32>. Where wants_block_sums(), `block_sum` is the
  // i32 sum of the block's activations, which quantised activations then carry beside their scale; else it
  // is null.
  virtual bool wants_block_sums() const { return false; }
  virtual llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value* block_sum, int64_t lanes) const = 0;
  // The same for a block of 32 k whose weights are 0 … 15 as u8: sums, in the form the target likes best,
  // from zero over at most 8 steps to the <lanes x i32> that finish_uint4 returns.
  virtual llvm::Value* start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const = 0;
  virtual llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                                 llvm::Value* sums) const = 0;
  virtual llvm::Value* finish_uint4(llvm::IRBuilderBase& b, llvm::Value* sums) const = 0;
  // Two such steps for weights of 0 … 63, whose sums <lanes x i32> may go on as long as they like.
  struct TwoSteps {
    llvm::Value *first, *second;
  };
  virtual llvm::Value* dot_uint6(llvm::IRBuilderBase& b, const TwoSteps& weights, const TwoSteps& activations,
                                 llvm::Value* sums) const = 0;
  // How many rows of activations meet a block of weights at once, where there are many, and how many products
  // of such a row and a group of weight rows (8 lanes, or 16) registers hold beside their operands.
  struct InRegisters {
    int64_t rows, products;
  };
  virtual InRegisters in_registers() const { return {8, 8}; }
  virtual const MatrixUnit* matrix_unit() const { return nullptr; }
  bool unit_takes(int64_t group_rows) const {  // of weights
    return matrix_unit() != nullptr && group_rows == MatrixUnit::kRows;
  }
  // f32 in a register, and how many registers of sums leave room for what is added to them.
  virtual int64_t float_lanes() const { return 8; }
  virtual int64_t float_sums() const { return 8; }
};

// The targets this CPU runs, best first; "avx2" is the base of them all.
std::vector<const Target*> targets_here();

// Throws Error naming the known targets. "native" = the best one this CPU runs.
const Target& find_target(const std::string& name);

struct RegisterTarget {
  explicit RegisterTarget(const Target& target);  // which lives as long as the program
};

}  // namespace lmc
