#include "codegen/kernels/builder.h"

#include <llvm/IR/MDBuilder.h>

#include <cstddef>
#include <numeric>
#include <vector>

#include "ir/kernel_abi.h"

namespace lmc {

KernelBuilder::KernelBuilder(llvm::Module& module, const Target& target, const std::string& name)
    : module_(module), target_(target), b_(module.getContext()) {
  llvm::Type* ptr = b_.getPtrTy();
  auto* type =
      llvm::FunctionType::get(b_.getVoidTy(), {ptr, ptr, b_.getInt64Ty(), b_.getInt64Ty(), ptr}, false);
  fn_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  fn_->addFnAttr(llvm::Attribute::NoUnwind);
  // No loop may become a call of memset or memcpy: kernels.o has no undefined symbols.
  fn_->addFnAttr("no-builtins");
  fn_->addFnAttr("target-cpu", target.cpu());
  fn_->addFnAttr("target-features", target.features());
  // Scratch and the operand table belong to this call alone.
  fn_->addParamAttr(0, llvm::Attribute::NoAlias);
  fn_->addParamAttr(1, llvm::Attribute::NoAlias);
  fn_->addParamAttr(4, llvm::Attribute::NoAlias);
  b_.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", fn_));
}

void KernelBuilder::finish() { b_.CreateRetVoid(); }

llvm::Value* KernelBuilder::operand(int index) {
  auto* l = b_.CreateLoad(b_.getPtrTy(), at(fn_->getArg(0), index * 8));
  l->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(module_.getContext(), {}));
  return l;
}

llvm::Value* KernelBuilder::tokens() {
  return load(b_.getInt64Ty(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, tokens)}), 8);
}

llvm::Value* KernelBuilder::rows() {
  return load(b_.getInt64Ty(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, rows)}), 8);
}

llvm::Value* KernelBuilder::cycles() {
  return load(b_.getPtrTy(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, cycles)}), 8);
}

llvm::Value* KernelBuilder::serial() {
  return load(b_.getInt64Ty(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, serial)}), 8);
}

llvm::Value* KernelBuilder::best() {
  return load(b_.getPtrTy(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, argmax)}), 8);
}

llvm::Value* KernelBuilder::allowed() {
  return load(b_.getPtrTy(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, allowed)}), 8);
}

llvm::Value* KernelBuilder::spans() {
  return load(b_.getPtrTy(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, spans)}), 8);
}

llvm::Value* KernelBuilder::span_count() {
  return load(b_.getInt64Ty(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, span_count)}), 8);
}

llvm::Value* KernelBuilder::pages(llvm::Value* operand, llvm::Value* token) {
  llvm::Value* lists = load(b_.getPtrTy(), at(fn_->getArg(1), int64_t{offsetof(StepInfo, caches)}), 8);
  llvm::Value* list = load(b_.getPtrTy(), at(lists, mul(token, 8)), 8);
  return at(list, mul(b_.CreatePtrToInt(operand, b_.getInt64Ty()), 8));
}

llvm::Value* KernelBuilder::page(llvm::Value* pages, llvm::Value* number) {
  return load(b_.getPtrTy(), at(pages, mul(number, 8)), 8);
}

llvm::Value* KernelBuilder::load(llvm::Type* type, llvm::Value* address, int64_t align) {
  return b_.CreateAlignedLoad(type, address, llvm::Align(static_cast<uint64_t>(align)));
}

void KernelBuilder::store(llvm::Value* value, llvm::Value* address, int64_t align) {
  b_.CreateAlignedStore(value, address, llvm::Align(static_cast<uint64_t>(align)));
}

void KernelBuilder::store_lanes(llvm::Value* value, llvm::Value* address, int64_t lanes) {
  if (lanes >= lanes_) return store(value, address, 4);
  std::vector<llvm::Constant*> mask;
  for (int64_t i = 0; i < lanes_; ++i) mask.push_back(b_.getInt1(i < lanes));
  store_masked(value, address, llvm::ConstantVector::get(mask));
}

void KernelBuilder::store_masked(llvm::Value* value, llvm::Value* address, llvm::Value* mask) {
  b_.CreateMaskedStore(value, address, llvm::Align(4), mask);
}

void KernelBuilder::prefetch(llvm::Value* address, int64_t level) {
  constexpr unsigned kRead = 0, kFirstLevel = 3, kSecondLevel = 2, kData = 1;
  b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {b_.getPtrTy()},
                     {address, b_.getInt32(kRead), b_.getInt32(level == 1 ? kFirstLevel : kSecondLevel),
                      b_.getInt32(kData)});
}

void KernelBuilder::add_product(llvm::Value* sum, llvm::Value* a, llvm::Value* c) {
  store(fma(a, c, load(a->getType(), sum, 4)), sum, 4);
}

llvm::Value* KernelBuilder::fma(llvm::Value* a, llvm::Value* c, llvm::Value* addend) {
  return b_.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, c, addend});
}

llvm::Value* KernelBuilder::widen(llvm::Value* numbers) {
  llvm::Type* element = numbers->getType()->getScalarType();
  if (element->isFloatTy()) return numbers;
  const auto count = llvm::cast<llvm::FixedVectorType>(numbers->getType())->getNumElements();
  llvm::Type* floats = vector(b_.getFloatTy(), count);
  llvm::Type* words = vector(b_.getInt32Ty(), count);
  if (element->isHalfTy()) return b_.CreateFPExt(numbers, floats);
  llvm::Value* upper = b_.CreateShl(b_.CreateZExt(numbers, words), llvm::ConstantInt::get(words, 16));
  return b_.CreateBitCast(upper, floats);
}

llvm::Value* KernelBuilder::part(llvm::Value* v, int64_t n) {
  if (llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements() == lanes_) return v;
  std::vector<int> lanes(static_cast<size_t>(lanes_));
  std::iota(lanes.begin(), lanes.end(), static_cast<int>(n * lanes_));
  return b_.CreateShuffleVector(v, lanes);
}

llvm::Value* KernelBuilder::beside(llvm::Value* a, llvm::Value* c) {
  const auto lanes = static_cast<int>(llvm::cast<llvm::FixedVectorType>(a->getType())->getNumElements());
  std::vector<int> all(static_cast<size_t>(2 * lanes));
  std::iota(all.begin(), all.end(), 0);
  return b_.CreateShuffleVector(a, c, all);
}

llvm::Value* KernelBuilder::lane_ids() {
  std::vector<llvm::Constant*> ids;
  for (int64_t i = 0; i < lanes_; ++i) ids.push_back(b_.getInt64(static_cast<uint64_t>(i)));
  return llvm::ConstantVector::get(ids);
}

llvm::Value* KernelBuilder::keep_lanes(llvm::Value* v, int64_t lanes) {
  if (lanes >= lanes_) return v;
  std::vector<llvm::Constant*> mask;
  for (int64_t i = 0; i < lanes_; ++i) mask.push_back(b_.getInt1(i < lanes));
  return b_.CreateSelect(llvm::ConstantVector::get(mask), v, llvm::Constant::getNullValue(v->getType()));
}

namespace {

// Folds 8 lanes to one by `op` over halves.
template <class F>
llvm::Value* fold_lanes(llvm::IRBuilder<>& b, llvm::Value* v, F op) {
  for (int width : {4, 2, 1}) {
    std::vector<int> low;
    std::vector<int> high;
    for (int i = 0; i < width; ++i) {
      low.push_back(i);
      high.push_back(i + width);
    }
    v = op(b.CreateShuffleVector(v, low), b.CreateShuffleVector(v, high));
  }
  return b.CreateExtractElement(v, b.getInt64(0));
}

}  // namespace

llvm::Value* KernelBuilder::sum_lanes(llvm::Value* v) {
  return fold_lanes(b_, v, [&](llvm::Value* a, llvm::Value* c) { return b_.CreateFAdd(a, c); });
}

llvm::Value* KernelBuilder::max_lanes(llvm::Value* v) {
  return fold_lanes(
      b_, v, [&](llvm::Value* a, llvm::Value* c) { return b_.CreateSelect(b_.CreateFCmpOGT(a, c), a, c); });
}

llvm::Value* KernelBuilder::variable(llvm::Value* initial) {
  llvm::IRBuilder<> entry(&fn_->getEntryBlock(), fn_->getEntryBlock().begin());
  llvm::Value* v = entry.CreateAlloca(initial->getType());
  set(v, initial);
  return v;
}

llvm::Value* KernelBuilder::buffer(int64_t bytes, int64_t align) {
  llvm::IRBuilder<> entry(&fn_->getEntryBlock(), fn_->getEntryBlock().begin());
  llvm::AllocaInst* out =
      entry.CreateAlloca(llvm::ArrayType::get(b_.getInt8Ty(), static_cast<uint64_t>(bytes)));
  out->setAlignment(llvm::Align(static_cast<uint64_t>(align)));
  return out;
}

llvm::Value* KernelBuilder::get(llvm::Value* variable) {
  return b_.CreateLoad(llvm::cast<llvm::AllocaInst>(variable)->getAllocatedType(), variable);
}

void KernelBuilder::loop(llvm::Value* first, llvm::Value* end, int64_t step,
                         const std::function<void(llvm::Value*)>& body) {
  llvm::LLVMContext& c = module_.getContext();
  llvm::BasicBlock* before = b_.GetInsertBlock();
  auto* head = llvm::BasicBlock::Create(c, "loop", fn_);
  auto* inside = llvm::BasicBlock::Create(c, "body", fn_);
  auto* after = llvm::BasicBlock::Create(c, "after", fn_);
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* i = b_.CreatePHI(b_.getInt64Ty(), 2);
  i->addIncoming(first, before);
  b_.CreateCondBr(b_.CreateICmpSLT(i, end), inside, after);
  b_.SetInsertPoint(inside);
  body(i);
  llvm::Value* next = b_.CreateAdd(i, i64(step));
  i->addIncoming(next, b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(after);
}

void KernelBuilder::if_then(llvm::Value* condition, const std::function<void()>& body) {
  llvm::LLVMContext& c = module_.getContext();
  auto* inside = llvm::BasicBlock::Create(c, "then", fn_);
  auto* after = llvm::BasicBlock::Create(c, "after", fn_);
  b_.CreateCondBr(condition, inside, after);
  b_.SetInsertPoint(inside);
  body();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

}  // namespace lmc
