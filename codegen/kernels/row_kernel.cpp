#include "codegen/kernels/row_kernel.h"

#include <cassert>

#include "ir/op_def.h"

namespace lmc {
namespace {

std::map<std::string, RowOpEmitter>& row_ops() {
  static std::map<std::string, RowOpEmitter> table;
  return table;
}

}  // namespace

RegisterRowOp::RegisterRowOp(const std::string& op_name, RowOpEmitter emitter) {
  row_ops()[op_name] = std::move(emitter);
}

const RowOpEmitter* find_row_op(const std::string& op_name) {
  const auto it = row_ops().find(op_name);
  return it == row_ops().end() ? nullptr : &it->second;
}

int64_t RowEmitter::sub_rows(const Type& t) {
  int64_t n = 1;
  for (size_t i = 1; i + 1 < t.dims.size(); ++i) n *= t.dims[i];
  return n;
}

llvm::Value* RowEmitter::address(ValueId v, llvm::Value* token) {
  const Slot s = slot(v);
  llvm::Value* base = s.operand == Slot::kScratch ? k.scratch() : k.operand(s.operand);
  if (s.offset != 0) base = k.at(base, s.offset);
  return s.stride == 0 ? base : k.at(base, k.mul(token, s.stride));
}

llvm::Value* RowEmitter::load_lanes(ValueId v, llvm::Value* outer, llvm::Value* inner) {
  const Slot s = slot(v);
  const Type& t = g.type(v);
  // A row of rank 1, [N], is repeated over all sub-rows.
  llvm::Value* index = t.rank() == 1 ? inner : k.add(k.mul(outer, s.sub_row ? s.sub_row : t.last()), inner);
  auto& b = k.ir();
  if (s.layout == "f32") return k.load(k.floats(), k.at(address(v), k.mul(index, 4)), 4);
  llvm::Value* halves = k.at(address(v), k.mul(index, 2));
  assert(s.layout == "f16" || s.layout == "bf16");
  llvm::Type* half = s.layout == "f16" ? b.getHalfTy() : b.getInt16Ty();
  return k.widen(k.load(k.vector(half, k.lanes()), halves, 2));
}

// A value without a place is computed from those of its operands that have none either, and so on: with a
// stack, because only the author decides how long such a chain is.
llvm::Value* RowEmitter::lanes(ValueId v, llvm::Value* outer, llvm::Value* inner) {
  std::map<ValueId, llvm::Value*> known = bound_;
  std::vector<ValueId> pending{v};
  while (!pending.empty()) {
    const ValueId at = pending.back();
    if (known.contains(at)) {
      pending.pop_back();
      continue;
    }
    if (frame.has(at)) {
      known[at] = load_lanes(at, outer, inner);
      continue;
    }
    const Op& op = *g.def_op(at);
    std::vector<llvm::Value*> operands;
    for (ValueId o : op.operands) {
      const auto it = known.find(o);
      if (it == known.end()) {
        pending.push_back(o);
      } else {
        operands.push_back(it->second);
      }
    }
    if (operands.size() == op.operands.size()) known[at] = find_row_op(op.def->name)->lanes(k, op, operands);
  }
  return known.at(v);
}

llvm::Value* RowEmitter::element(ValueId v, llvm::Value* index) {
  assert(slot(v).layout == "f32" || slot(v).layout == "i32");
  llvm::Type* type = slot(v).layout == "f32" ? k.ir().getFloatTy() : k.ir().getInt32Ty();
  return k.load(type, k.at(address(v), k.mul(index, 4)), 4);
}

void RowEmitter::for_lanes(int64_t length, const OnLanes& body) {
  const int64_t whole = length / kLanes * kLanes;
  for_whole_lanes(0, whole, body);
  if (whole < length) body(k.i64(whole), length - whole);
}

void RowEmitter::for_wide_lanes(int64_t length, const OnLanes& body) {
  const int64_t wide = length / k.target().float_lanes() * k.target().float_lanes();
  const int64_t whole = length / kLanes * kLanes;
  {
    const WithLanes lanes(k, k.target().float_lanes());
    for_whole_lanes(0, wide, body);
  }
  for_whole_lanes(wide, whole, body);
  if (whole < length) body(k.i64(whole), length - whole);
}

void RowEmitter::for_whole_lanes(int64_t from, int64_t to, const OnLanes& body) {
  if (from == to) return;
  k.loop(k.i64(from), k.i64(to), k.lanes(), [&](llvm::Value* i) { body(i, k.lanes()); });
}

void RowEmitter::store(ValueId v, llvm::Value* outer, llvm::Value* inner, llvm::Value* value, int64_t lanes) {
  llvm::Value* index = k.add(k.mul(outer, g.type(v).last()), inner);
  k.store_lanes(value, k.at(address(v), k.mul(index, 4)), lanes);
}

void RowEmitter::emit_ops(const std::vector<OpId>& ops) {
  for (OpId id : ops) {
    const Op& op = g.op(id);
    const RowOpEmitter* emitter = find_row_op(op.def->name);
    if (emitter->row) {
      emitter->row(*this, op);
      continue;
    }
    // Elementwise: computed where it is used, unless it has a place in memory.
    const ValueId r = op.results[0];
    if (!frame.has(r)) continue;
    const Type& t = g.type(r);
    k.loop(k.i64(0), k.i64(sub_rows(t)), 1, [&](llvm::Value* outer) {
      for_wide_lanes(t.last(), [&](llvm::Value* inner, int64_t n) {
        std::vector<llvm::Value*> operands;
        for (ValueId o : op.operands) operands.push_back(lanes(o, outer, inner));
        store(r, outer, inner, emitter->lanes(k, op, operands), n);
      });
    });
  }
}

void check_sub_rows(const Frame& frame, OpId id) {
  const Op& op = frame.g.op(id);
  if (op.def->category == OpCategory::elementwise) return;
  const RowOpEmitter* emitter = find_row_op(op.def->name);
  if (emitter && emitter->sub_rows_anywhere) return;
  for (ValueId v : op.operands) {
    if (frame.has(v) && frame.slot(v).sub_row != 0)
      throw Error(op.loc, op.def->name + " of a split of heads has no kernel");
  }
}

void emit_prologue(KernelBuilder& k, const Frame& frame, const std::vector<OpId>& ops,
                   const std::map<ValueId, Slot>& published) {
  auto& b = k.ir();
  llvm::Value* stage_at = k.at(k.scratch(), -kKeptHeader);
  llvm::Value* step_at = k.at(k.scratch(), 8 - kKeptHeader);
  llvm::Value* serial = k.serial();
  llvm::Value* other_stage = b.CreateICmpNE(k.load(b.getPtrTy(), stage_at, 8), k.operands());
  llvm::Value* other_step = b.CreateICmpNE(k.load(b.getInt64Ty(), step_at, 8), serial);
  llvm::Value* uncounted = b.CreateICmpEQ(serial, k.i64(0));
  RowEmitter e(k, frame, k.i64(0));
  k.if_then(b.CreateOr(b.CreateOr(other_stage, other_step), uncounted), [&] {
    e.emit_ops(ops);
    k.store(k.operands(), stage_at, 8);
    k.store(serial, step_at, 8);
  });
  if (published.empty()) return;
  k.if_then(b.CreateICmpEQ(k.tile(), k.i64(0)), [&] {
    for (const auto& [v, slot] : published) {
      llvm::Value* from = e.address(v);
      llvm::Value* to = k.operand(slot.operand);
      k.loop(k.i64(0), k.i64(row_bytes(frame.g.type(v))), kLanes * 4,
             [&](llvm::Value* at) { k.store(k.load(k.ints(), k.at(from, at), 32), k.at(to, at), 32); });
    }
  });
}

}  // namespace lmc
