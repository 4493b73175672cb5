#include "codegen/kernels/linear_rows.h"

#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

int64_t stack_size(const LinearForm& form) { return form.frame.g.type(form.op().operands[1]).dims[0]; }

bool some_elsewhere(const LinearForm& form) { return form.experts && attr_int(form.op(), "of") > 0; }

}  // namespace

int64_t LinearRows::shares(const LinearForm& form) {
  if (!form.experts) return 1;
  if (form.frame.single()) return form.slots;
  return stack_size(form) + (some_elsewhere(form) ? 1 : 0);
}

int64_t LinearRows::list_bytes(const LinearForm& form) {
  return form.experts && !form.frame.single() ? form.frame.spec.tokens * form.slots * 4 : 0;
}

LinearRows::LinearRows(KernelBuilder& k, const LinearForm& form, llvm::Value* tokens, llvm::Value* share,
                       llvm::Value* list)
    : k_(k),
      form_(form),
      count_(tokens),
      share_(share),
      list_(list),
      listed_(form.experts && !form.frame.single()),
      slots_(form.slots) {
  if (listed_) list_rows();
}

llvm::Value* LinearRows::id_at(llvm::Value* token, llvm::Value* slot) {
  auto& b = k_.ir();
  llvm::Value* ids = RowEmitter(k_, form_.frame, token).address(form_.op().operands[2]);
  llvm::Value* id = k_.load(b.getInt32Ty(), k_.at(ids, k_.mul(slot, 4)), 4);
  if (!some_elsewhere(form_)) return id;
  return b.CreateSub(id, b.getInt32(static_cast<uint32_t>(attr_int(form_.op(), "first"))));
}

llvm::Value* LinearRows::in_stack(llvm::Value* id) const {
  return k_.ir().CreateICmpULT(id, k_.ir().getInt32(static_cast<uint32_t>(stack_size(form_))));
}

// Numbers token * slots + slot. Each is written behind the list, which grows if it belongs there.
void LinearRows::list_rows() {
  auto& b = k_.ir();
  llvm::Value* expert = b.CreateTrunc(share_, b.getInt32Ty());
  llvm::Value* found = k_.variable(k_.i64(0));
  k_.loop(k_.i64(0), count_, 1, [&](llvm::Value* token) {
    k_.loop(k_.i64(0), k_.i64(slots_), 1, [&](llvm::Value* slot) {
      llvm::Value* id = id_at(token, slot);
      llvm::Value* chosen = b.CreateICmpEQ(id, expert);
      if (some_elsewhere(form_)) chosen = b.CreateSelect(in_stack(expert), chosen, b.CreateNot(in_stack(id)));
      llvm::Value* end = k_.get(found);
      llvm::Value* number = k_.add(k_.mul(token, slots_), slot);
      k_.store(b.CreateTrunc(number, b.getInt32Ty()), k_.at(list_, k_.mul(end, 4)), 4);
      k_.set(found, k_.add(end, b.CreateZExt(chosen, b.getInt64Ty())));
    });
  });
  count_ = k_.get(found);
}

LinearRow LinearRows::at(llvm::Value* index) {
  auto& b = k_.ir();
  if (!listed_) return {index, form_.experts ? share_ : k_.i64(0)};
  llvm::Value* number = k_.load(b.getInt32Ty(), k_.at(list_, k_.mul(index, 4)), 4);
  number = b.CreateZExt(number, b.getInt64Ty());
  return {b.CreateUDiv(number, k_.i64(slots_)), b.CreateURem(number, k_.i64(slots_))};
}

llvm::Value* LinearRows::expert() {
  auto& b = k_.ir();
  llvm::Value* expert = listed_ ? share_ : b.CreateSExt(id_at(k_.i64(0), share_), b.getInt64Ty());
  return some_elsewhere(form_) ? b.CreateSelect(here(), expert, k_.i64(0)) : expert;
}

llvm::Value* LinearRows::here() {
  if (!some_elsewhere(form_)) return nullptr;
  return in_stack(listed_ ? k_.ir().CreateTrunc(share_, k_.ir().getInt32Ty()) : id_at(k_.i64(0), share_));
}

}  // namespace lmc
