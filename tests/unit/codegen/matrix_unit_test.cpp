// What a target with a matrix unit does, on a CPU that has none: avx2 with a unit that is written in vectors.
// So blocks, rows left over and results to be rounded are tested everywhere; the unit's own instructions
// where there is one, by every test that runs on all targets here.
#include <gtest/gtest.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "agreement.h"
#include "codegen/target.h"
#include "codegen/weight_layout.h"
#include "compiled_model.h"
#include "golden_folder.h"

namespace lmc {
namespace {

using llvm::Value;

// A function of the kernel's module, so that code does not grow with the number of its products.
class VectorsAsUnit : public MatrixUnit {
 public:
  void begin(llvm::IRBuilderBase&, Value* rest) const override { rest_ = rest; }
  void end(llvm::IRBuilderBase&) const override {}
  void load(llvm::IRBuilderBase&, Value* activations, Value* apart, bool) const override {
    activations_ = activations;
    apart_ = apart;
  }
  // Rows beyond the rest are not read: they may not be there.
  void dot(llvm::IRBuilderBase& b, Value* weights, Value* out, bool rest) const override {
    Value* tokens = rest ? rest_ : b.getInt64(kTokens);
    b.CreateCall(function(*b.GetInsertBlock()->getModule()), {activations_, apart_, weights, out, tokens});
  }

  void begin_full(llvm::IRBuilderBase& b, Value* operands) const override {
    llvm::Type* line = llvm::FixedVectorType::get(b.getInt32Ty(), kRows);
    out_ = b.CreateAlloca(llvm::ArrayType::get(line, kTokens));
    sum_ = b.CreateAlloca(line);
    b.CreateStore(llvm::Constant::getNullValue(line), sum_);
    load(b, operands, b.getInt64(32), false);
  }
  // The last line of a product, for all of them.
  int64_t multiply_full(llvm::IRBuilderBase& b) const override {
    dot(b, activations_, out_, false);
    llvm::Type* line = sum_->getAllocatedType();
    Value* last = b.CreateLoad(line, b.CreateConstGEP1_32(line, out_, kTokens - 1));
    b.CreateStore(b.CreateAdd(b.CreateLoad(line, sum_), last), sum_);
    return kRows * 32;
  }
  void end_full(llvm::IRBuilderBase& b, Value* sums) const override {
    b.CreateAlignedStore(b.CreateLoad(sum_->getAllocatedType(), sum_), sums, llvm::Align(4));
  }

 private:
  static llvm::Function* function(llvm::Module& module) {
    if (llvm::Function* made = module.getFunction("emulated_dot")) return made;
    llvm::IRBuilder<> b(module.getContext());
    llvm::Type* type = llvm::FunctionType::get(
        b.getVoidTy(), {b.getPtrTy(), b.getInt64Ty(), b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}, false);
    auto* f = llvm::Function::Create(llvm::cast<llvm::FunctionType>(type), llvm::Function::InternalLinkage,
                                     "emulated_dot", module);
    f->addFnAttr(llvm::Attribute::NoInline);
    auto* entry = llvm::BasicBlock::Create(b.getContext(), "", f);
    auto* each = llvm::BasicBlock::Create(b.getContext(), "", f);
    auto* done = llvm::BasicBlock::Create(b.getContext(), "", f);
    b.SetInsertPoint(entry);
    b.CreateBr(each);
    b.SetInsertPoint(each);
    llvm::PHINode* token = b.CreatePHI(b.getInt64Ty(), 2);
    token->addIncoming(b.getInt64(0), entry);
    const auto at = [&](Value* base, Value* bytes) { return b.CreateGEP(b.getInt8Ty(), base, bytes); };
    Value* row = at(f->getArg(0), b.CreateMul(f->getArg(1), token));
    Value* sum = llvm::Constant::getNullValue(llvm::FixedVectorType::get(b.getInt32Ty(), kRows));
    for (uint64_t quad = 0; quad < 8; ++quad) {
      llvm::Type* bytes = llvm::FixedVectorType::get(b.getInt8Ty(), 4 * kRows);
      Value* w = b.CreateAlignedLoad(bytes, at(f->getArg(2), b.getInt64(quad * 4 * kRows)), llvm::Align(1));
      for (uint64_t k = 0; k < 4; ++k) {
        std::vector<int> column;
        for (int r = 0; r < kRows; ++r) column.push_back(4 * r + static_cast<int>(k));
        Value* x = b.CreateAlignedLoad(b.getInt8Ty(), at(row, b.getInt64(4 * quad + k)), llvm::Align(1));
        Value* xs = b.CreateVectorSplat(kRows, b.CreateSExt(x, b.getInt32Ty()));
        Value* ws = b.CreateSExt(b.CreateShuffleVector(w, column), sum->getType());
        sum = b.CreateAdd(sum, b.CreateMul(ws, xs));
      }
    }
    b.CreateAlignedStore(sum, at(f->getArg(3), b.CreateMul(token, b.getInt64(4 * kRows))), llvm::Align(64));
    Value* next = b.CreateAdd(token, b.getInt64(1));
    token->addIncoming(next, each);
    b.CreateCondBr(b.CreateICmpSLT(next, f->getArg(4)), each, done);
    b.SetInsertPoint(done);
    b.CreateRetVoid();
    return f;
  }

  // Of the kernel that is being emitted.
  mutable Value* rest_ = nullptr;
  mutable Value* activations_ = nullptr;
  mutable Value* apart_ = nullptr;
  mutable llvm::AllocaInst *out_ = nullptr, *sum_ = nullptr;
};

// avx2, but for the unit and the layout that it wants.
class Emulated : public Target {
 public:
  std::string name() const override { return "emulated-unit"; }
  std::string cpu() const override { return base().cpu(); }
  std::string features() const override { return base().features(); }
  std::string triple() const override { return base().triple(); }
  bool supported_here() const override { return false; }  // only those who name it take it
  int preference() const override { return -1; }
  const WeightLayout& layout(DType format, int64_t rows, int64_t cols) const override {
    return is_quantised(format) && rows % 32 != 16 ? widest_layout(format, 16)
                                                   : base().layout(format, rows, cols);
  }
  Prepared prepare_int8(llvm::IRBuilderBase& b, Value* weights) const override {
    return base().prepare_int8(b, weights);
  }
  Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, Value* x, Value* sums) const override {
    return base().dot_int8(b, w, x, sums);
  }
  Value* start_int8(llvm::IRBuilderBase& b, Value* sum, int64_t lanes) const override {
    return base().start_int8(b, sum, lanes);
  }
  Value* start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const override {
    return base().start_uint4(b, lanes);
  }
  Value* dot_uint4(llvm::IRBuilderBase& b, Value* w, Value* x, Value* sums) const override {
    return base().dot_uint4(b, w, x, sums);
  }
  Value* finish_uint4(llvm::IRBuilderBase& b, Value* sums) const override {
    return base().finish_uint4(b, sums);
  }
  Value* dot_uint6(llvm::IRBuilderBase& b, const TwoSteps& w, const TwoSteps& x, Value* sums) const override {
    return base().dot_uint6(b, w, x, sums);
  }
  const MatrixUnit* matrix_unit() const override { return &unit_; }

 private:
  static const Target& base() { return find_target("avx2"); }
  VectorsAsUnit unit_;
};

const Emulated kEmulated;
const RegisterTarget kRegister(kEmulated);

// 95 tokens are steps of 48 and 47: products of 16 and of the 15 left over. Numbers that lie as the unit
// takes them, and those that are brought to it.
TEST(MatrixUnitInDepth, linear_of_any_shape_agrees) {
  for (const std::string format : {"q8_0", "q8_0 in planes", "q4_0", "q5_0", "iq4_nl", "q4_k", "q5_k"}) {
    PassOptions passes;
    if (format.ends_with("planes")) passes.settings["choose-layouts"]["kind"] = "planes";
    for (auto [k, n] : {std::pair<int64_t, int64_t>{33, 9}, {96, 70}, {64, 416}}) {
      SCOPED_TRACE(format);
      const std::string w =
          "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n  weight @b : f32[" + num(n) + "]\n";
      const std::string body =
          "  %q = quantize(%x)\n  %qw = quantize(@w) {format=" + format.substr(0, format.find(' ')) +
          "}\n  %y = linear(%q, %qw, @b)\n";
      expect_agreement(model(k, w, body), 95, 1e-5, "emulated-unit", passes);
    }
  }
}

TEST(MatrixUnit, halves_that_are_rounded_as_they_come_agree) {
  const std::string body =
      "  %u = concat(@gate, @up) {axis=0}\n  %uq = quantize(%u)\n  %d = quantize(@down)\n  %xq = "
      "quantize(%x)\n"
      "  %m = group(%xq, %uq) {name=up} : q8_0[T,160] {\n    inputs (%x: q8_0[T,72], %w: q8_0[320,72])\n"
      "    %h = linear(%x, %w)\n    %a, %b = split(%h) {sizes=[160,160]}\n    %s = silu(%a)\n"
      "    %p = mul(%s, %b)\n    %q = quantize(%p)\n    return %q\n  }\n  %y = linear(%m, %d)\n";
  const std::string weights =
      "  weight @gate : f32[160,72]\n  weight @up : f32[160,72]\n  weight @down : f32[51,160]\n";
  expect_agreement(model(72, weights, body), 47, 1e-4, "emulated-unit");
}

TEST(MatrixUnitInDepth, golden_logits_have_the_bits_of_other_targets) {
  const std::vector<int32_t> ids{5, 1, 9, 3, 7, 2, 8, 6, 4, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18};
  for (const char* format : {"q8_0", "q4_k"}) {
    std::vector<std::vector<float>> logits;
    for (const char* target : {"avx2", "emulated-unit"}) {
      Model m = load_model(golden_folder() + "/gemma3-a", {});
      logits.push_back(compile(m, format, 1, target).logits(ids, 1, 0, "in-order"));
    }
    EXPECT_EQ(logits[0], logits[1]) << format;
  }
}

}  // namespace
}  // namespace lmc
