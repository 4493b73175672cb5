// Sapphire Rapids and later servers: avx512-vnni with tiles of 16 rows of 64 bytes, multiplied as matrices. A
// block of Q8_0 has a scale of its own, so its product is one of 32 k, half of what a tile holds.
#include <cpuid.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "codegen/targets/avx512_vnni.h"

namespace lmc::targets::amx {
namespace {

using llvm::Intrinsic::ID;

// Of the eight tiles: the weights; products and activations of 16 tokens; of the rest.
enum Tile : uint8_t { kWeights, kOut, kActivations, kOutOfRest, kActivationsOfRest };
// Full ones: both operands, and products enough to hide what one takes.
enum FullTile : uint8_t { kLeft, kRight, kFirstOut, kOuts = 4 };

// What ldtilecfg reads (Intel's manual, "TILECFG"): palette 1, then bytes a row and rows of each tile.
class Config {
 public:
  void shape(size_t tile, uint8_t rows, uint8_t row_bytes) {
    bytes_[16 + 2 * tile] = row_bytes;
    bytes_[kRowsOfTiles + tile] = rows;
  }
  // `changed` tiles have so many rows instead, i8.
  void load(llvm::IRBuilderBase& b, const std::vector<unsigned>& changed = {}, llvm::Value* rows = nullptr) {
    llvm::Constant* bytes = llvm::ConstantDataArray::get(b.getContext(), bytes_);
    llvm::BasicBlock& entry = b.GetInsertBlock()->getParent()->getEntryBlock();
    llvm::IRBuilder<> at_entry(&entry, entry.begin());
    llvm::AllocaInst* memory = at_entry.CreateAlloca(bytes->getType());
    memory->setAlignment(llvm::Align(kBytes));
    b.CreateAlignedStore(bytes, memory, llvm::Align(kBytes));
    for (const unsigned tile : changed)
      b.CreateStore(rows, b.CreateConstGEP1_32(b.getInt8Ty(), memory, kRowsOfTiles + tile));
    b.CreateIntrinsic(llvm::Intrinsic::x86_ldtilecfg, {}, {memory});
  }

 private:
  static constexpr unsigned kBytes = 64, kRowsOfTiles = 48;
  std::array<uint8_t, kBytes> bytes_{1};
};

class Amx : public MatrixUnit {
 public:
  void begin(llvm::IRBuilderBase& b, llvm::Value* rest) const override {
    Config config;
    config.shape(kWeights, 32 / 4, kRows * 4);
    for (Tile tile : {kOut, kOutOfRest}) config.shape(tile, kTokens, kRows * 4);
    for (Tile tile : {kActivations, kActivationsOfRest}) config.shape(tile, kTokens, 32);
    config.load(b, {kOutOfRest, kActivationsOfRest}, b.CreateTrunc(rest, b.getInt8Ty()));
  }

  void end(llvm::IRBuilderBase& b) const override {
    b.CreateIntrinsic(llvm::Intrinsic::x86_tilerelease, {}, {});
  }

  void load(llvm::IRBuilderBase& b, llvm::Value* activations, llvm::Value* apart, bool rest) const override {
    llvm::Value* tile = b.getInt8(rest ? kActivationsOfRest : kActivations);
    b.CreateIntrinsic(llvm::Intrinsic::x86_tileloadd64, {}, {tile, activations, apart});
  }

  void dot(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* out, bool rest) const override {
    llvm::Value* line = b.getInt64(kRows * 4);
    llvm::Value* sums = b.getInt8(rest ? kOutOfRest : kOut);
    llvm::Value* activations = b.getInt8(rest ? kActivationsOfRest : kActivations);
    b.CreateIntrinsic(llvm::Intrinsic::x86_tilezero, {}, {sums});
    b.CreateIntrinsic(llvm::Intrinsic::x86_tileloadd64, {}, {b.getInt8(kWeights), weights, line});
    b.CreateIntrinsic(llvm::Intrinsic::x86_tdpbssd, {}, {sums, activations, b.getInt8(kWeights)});
    b.CreateIntrinsic(llvm::Intrinsic::x86_tilestored64, {}, {sums, out, line});
  }

  void begin_full(llvm::IRBuilderBase& b, llvm::Value* operands) const override {
    Config config;
    for (uint8_t tile = 0; tile < kFirstOut + kOuts; ++tile) config.shape(tile, kFullRows, kFullRowBytes);
    config.load(b);
    for (const FullTile tile : {kLeft, kRight}) {
      b.CreateIntrinsic(llvm::Intrinsic::x86_tileloadd64, {},
                        {b.getInt8(tile), operands, b.getInt64(kFullRowBytes)});
    }
    for (uint8_t i = 0; i < kOuts; ++i)
      b.CreateIntrinsic(llvm::Intrinsic::x86_tilezero, {}, {b.getInt8(kFirstOut + i)});
  }

  int64_t multiply_full(llvm::IRBuilderBase& b) const override {
    for (uint8_t i = 0; i < kOuts; ++i) {
      b.CreateIntrinsic(llvm::Intrinsic::x86_tdpbssd, {},
                        {b.getInt8(kFirstOut + i), b.getInt8(kLeft), b.getInt8(kRight)});
    }
    return kOuts * kFullRows * (kFullRowBytes / 4) * kFullRowBytes;
  }

  void end_full(llvm::IRBuilderBase& b, llvm::Value* sums) const override {
    for (uint8_t i = 0; i < kOuts; ++i) {
      llvm::Value* out = b.CreateConstGEP1_32(b.getInt8Ty(), sums, i * kFullRows * kFullRowBytes);
      b.CreateIntrinsic(llvm::Intrinsic::x86_tilestored64, {},
                        {b.getInt8(kFirstOut + i), out, b.getInt64(kFullRowBytes)});
    }
    end(b);
  }

 private:
  static constexpr uint8_t kFullRows = 16, kFullRowBytes = 64;
};

const Amx kUnit;

// The system keeps tiles over a change of threads only for a process that has asked for it (Linux,
// Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool granted = ::syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return granted;
}

bool has_int8_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kTiles = 1U << 24, kInt8 = 1U << 25;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTiles) != 0 && (d & kInt8) != 0;
}

class Avx512Amx : public Avx512Vnni {
 public:
  std::string name() const override { return "avx512-amx"; }
  std::string cpu() const override { return "sapphirerapids"; }
  std::string features() const override {
    return "+amx-tile,+amx-int8,+avx512vnni,+avx512vl,+avx512bw,+prefer-256-bit";
  }
  int preference() const override { return 3; }
  bool supported_here() const override {
    return Avx512Vnni::supported_here() && has_int8_tiles() && may_use_tiles();
  }
  const MatrixUnit* matrix_unit() const override { return &kUnit; }
};

const Avx512Amx kAmx;
const RegisterTarget kRegister(kAmx);

}  // namespace
}  // namespace lmc::targets::amx
