#include "codegen/kernels/linear_walk.h"

#include <algorithm>

#include "codegen/kernels/activations.h"
#include "codegen/kernels/row_kernel.h"

namespace lmc {
namespace {

constexpr int64_t kPointer = 8;        // bytes
constexpr int64_t kWorthTheUnit = 12;  // rows left over that are

int64_t sum_bytes(const LinearForm& form) {
  return form.frame.single() ? 0 : LinearWalk::kMostRows * WalkForm::kStreams * form.layout->group_rows() * 4;
}

int64_t round_up_to_line(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Calls `body` for every block of a group, `count` columns each.
void for_blocks(KernelBuilder& k, const WeightLayout& layout, int64_t cols,
                const std::function<void(llvm::Value* block, int64_t count)>& body) {
  const int64_t columns = layout.block_cols();
  k.loop(k.i64(0), k.i64(cols / columns), 1, [&](llvm::Value* block) { body(block, columns); });
  if (cols % columns != 0) body(k.i64(cols / columns), cols % columns);
}

}  // namespace

LinearWalk::LinearWalk(KernelBuilder& builder, const LinearForm& f, LinearRows& rows, LinearOutputs& outputs,
                       llvm::Value* weights, AllowedRows* allowed)
    : k(builder),
      b(builder.ir()),
      form(f),
      rows_(rows),
      outputs_(outputs),
      layout_(*f.layout),
      how_(builder.target(), f, f.frame.single() ? 1 : 0),
      allowed_(allowed),
      weights_(weights),
      sums_(k.at(k.scratch(), round_up_to_line(LinearOutputs::results_bytes(f)))),
      table_(k.at(sums_, sum_bytes(f))),
      from_(k.i64(0)),
      count_(rows.count()) {}

int64_t LinearWalk::scratch_bytes(const LinearForm& form) {
  const int64_t table = form.experts && !form.frame.single() ? kMostRows * kPointer : 0;
  return round_up_to_line(LinearOutputs::results_bytes(form)) + sum_bytes(form) + table;
}

void LinearWalk::emit(const LinearPrefetch::Tile& tile) {
  if (form.frame.single()) return emit_rows(tile);
  if (!form.experts) {
    llvm::Value* first = activations_anywhere(k.i64(0));
    apart_ = b.CreatePtrDiff(b.getInt8Ty(), activations_anywhere(k.i64(1)), first);
  }
  llvm::Value* all = rows_.count();
  const bool by_unit = how_.by_unit();
  if (by_unit) {
    llvm::Value* left = b.CreateURem(all, k.i64(MatrixUnit::kTokens));
    rest_ = b.CreateSelect(b.CreateICmpSGE(left, k.i64(kWorthTheUnit)), left, k.i64(0));
    k.target().matrix_unit()->begin(b, k.max(rest_, k.i64(1)));
  }
  // Another walk goes through the same tile, which is in the second level of the cache meanwhile.
  const int64_t few = how_.most_in_registers();
  const int64_t most = how_.always_in_registers() ? few : kMostRows;
  k.loop(k.i64(0), all, most, [&](llvm::Value* from) {
    llvm::Value* count = k.min(b.CreateSub(all, from), k.i64(most));
    llvm::Value* are_few = b.CreateICmpSLE(count, k.i64(few));
    if (most > few) k.if_then(b.CreateNot(are_few), [&] { emit_some(tile, from, count, 0); });
    llvm::Value* left = b.CreateSelect(are_few, count, k.i64(0));
    for (int64_t rows = few; rows > 0; --rows) {
      if (!WalkForm::has_its_own(rows)) continue;
      llvm::Value* fit = b.CreateICmpSGE(left, k.i64(rows));
      k.if_then(fit, [&] { emit_some(tile, from, k.i64(rows), rows); });
      llvm::Value* done = b.CreateSelect(fit, k.i64(rows), k.i64(0));
      from = k.add(from, done);
      left = b.CreateSub(left, done);
    }
  });
  if (by_unit) k.target().matrix_unit()->end(b);
}

// Rows from `from` on. `known`: their number, if it is known; else 0.
void LinearWalk::emit_some(const LinearPrefetch::Tile& tile, llvm::Value* from, llvm::Value* count,
                           int64_t known) {
  from_ = from;
  count_ = count;
  how_ = WalkForm(k.target(), form, known);
  LinearPrefetch::Tile here = tile;
  llvm::Value* last = b.CreateICmpSGE(k.add(from, count), rows_.count());
  here.has_next = b.CreateOr(tile.has_next, b.CreateNot(last));
  here.next_first = b.CreateSelect(last, tile.next_first, tile.first);
  emit_rows(here);
}

void LinearWalk::emit_rows(const LinearPrefetch::Tile& tile) {
  if (listed()) {
    for_rows([&](llvm::Value* row) {
      k.store(activations_anywhere(row), k.at(table_, k.mul(row, kPointer)), kPointer);
    });
  }
  if (allowed_) for_rows([&](llvm::Value* row) { outputs_.start_line(row); });
  LinearPrefetch prefetch(k, tile, form, how_.prefetch_level());
  prefetch_ = &prefetch;
  const int64_t ways = how_.streams() / form.parts();
  llvm::Value* left_over = tile.first;
  if (ways > 1) {
    llvm::Value* share = b.CreateUDiv(b.CreateSub(tile.end, tile.first), k.i64(ways));
    if (allowed_) share = b.CreateSelect(allowed_->sparse(tile.first, tile.end), k.i64(0), share);
    walk({tile.first, k.add(tile.first, share), ways, share});
    left_over = k.add(tile.first, k.mul(share, ways));
  }
  walk({left_over, tile.end, 1, k.i64(0)});
  if (allowed_) for_rows([&](llvm::Value* row) { outputs_.finish_line(row, k.add(from_, row)); });
  if (!form.quantised.valid()) return;
  // Neighbouring groups, which share a block of 32, are computed at different times.
  for_rows([&](llvm::Value* row) {
    k.loop(tile.first, tile.end, outputs_.groups_per_block(),
           [&](llvm::Value* group) { outputs_.quantise_kept(group, row, k.add(from_, row)); });
  });
}

// Groups of logits none of which may be chosen are left out where they are walked one after the other.
void LinearWalk::walk(const Streams& s) {
  k.loop(s.from, s.to, 1, [&](llvm::Value* group) {
    if (allowed_ && s.width == 1) {
      allowed_->if_any(group, 1, [&] { step(s, group); });
    } else {
      step(s, group);
    }
  });
}

// Where the epilogue combines both halves of the outputs (gate and up), streams go through both.
void LinearWalk::step(const Streams& s, llvm::Value* group) {
  std::vector<llvm::Value*> numbers;
  for (int64_t part = 0; part < form.parts(); ++part) {
    for (int64_t i = 0; i < s.width; ++i)
      numbers.push_back(k.add(k.add(group, k.mul(s.apart, i)), k.i64(part * form.groups())));
  }
  std::vector<GroupPlace> groups;
  for (llvm::Value* number : numbers) {
    const auto run = [&](size_t r) { return k.at(weights_, layout_.run_offset(k, form.cols, number, r)); };
    groups.push_back({run(0), layout_.runs(form.cols).size() > 1 ? run(1) : nullptr});
  }
  start(groups.size());
  const auto multiply = [&] {
    prefetch_->enter(numbers, group, s.to);
    for_blocks(k, layout_, form.cols, [&](llvm::Value* block, int64_t count) {
      prefetch_->aim(groups, block);
      ask();
      meet(groups, block, count);
    });
  };
  llvm::Value* here = rows_.here();
  here ? k.if_then(here, multiply) : multiply();
  if (how_.known() > 1) keep_sums(groups.size());
  for_rows([&](llvm::Value* row) { finish(s, group, row); });
}

void LinearWalk::start(size_t groups) {
  llvm::Value* zero = k.splat(k.f32(0), layout_.group_rows());
  variables_.assign(static_cast<size_t>(how_.known()), {});
  if (how_.known() > 0) {
    for (auto& row : variables_) {
      for (size_t i = 0; i < groups; ++i) row.push_back(k.variable(zero));
    }
  } else {
    for_rows([&](llvm::Value* row) {
      for (size_t i = 0; i < groups; ++i) k.store(zero, sum(row, i), 4);
    });
  }
}

// So that one piece of code, which may be long, finishes all rows.
void LinearWalk::keep_sums(size_t groups) {
  llvm::Type* type = k.vector(b.getFloatTy(), layout_.group_rows());
  for (size_t row = 0; row < variables_.size(); ++row) {
    for (size_t i = 0; i < groups; ++i)
      k.store(b.CreateLoad(type, variables_[row][i]), kept_sum(k.i64(static_cast<int64_t>(row)), i), 4);
  }
}

void LinearWalk::ask() {
  const int64_t silent = how_.most_that_do_not_ask();
  if (how_.known() > 0 && how_.known() <= silent) return;
  if (how_.known() > 0 || silent == 0) return ask_for_rows();
  k.if_then(b.CreateICmpSGT(count_, k.i64(silent)), [&] { ask_for_rows(); });
}

void LinearWalk::ask_for_rows() {
  if (!how_.asks_in_turns(prefetch_->lines())) return prefetch_->ask();
  if (how_.known() == 0)
    k.if_then(b.CreateICmpSLT(count_, k.i64(WalkForm::kMany)), [&] { prefetch_->ask(0, layout_.turns()); });
  prefetch_->ask(layout_.turns());
}

// This block of the groups and all rows: as many as a matrix unit takes, then the others.
void LinearWalk::meet(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count) {
  if (how_.known() > 0) return meet_rows(groups, block, count, k.i64(0), how_.known());
  if (!how_.by_unit()) return meet_in_registers(groups, block, count, k.i64(0));
  llvm::Value* taken = meet_by_unit(groups, block);
  k.if_then(b.CreateICmpSLT(taken, count_), [&] { meet_in_registers(groups, block, count, taken); });
}

// How many rows it takes: sixteens, and of what is left as many as are worth it.
llvm::Value* LinearWalk::meet_by_unit(const std::vector<GroupPlace>& groups, llvm::Value* block) {
  llvm::Value* left = b.CreateURem(count_, k.i64(MatrixUnit::kTokens));
  llvm::Value* sixteens = b.CreateSub(count_, left);
  llvm::Value* rest = b.CreateSelect(b.CreateICmpSGE(left, k.i64(kWorthTheUnit)), left, k.i64(0));
  llvm::Value* taken = k.add(sixteens, rest);
  k.if_then(b.CreateICmpSGT(taken, k.i64(0)), [&] {
    UnitContraction c;
    c.w = groups;
    for (size_t i = 0; i < groups.size(); ++i)
      c.numbers.push_back(layout_.emit_unit_numbers(k, groups[i], block, prepared(i)));
    k.loop(k.i64(0), sixteens, MatrixUnit::kTokens,
           [&](llvm::Value* row) { multiply_by_unit(c, block, row, k.i64(MatrixUnit::kTokens), false); });
    k.if_then(b.CreateICmpSGT(rest, k.i64(0)), [&] { multiply_by_unit(c, block, sixteens, rest, true); });
  });
  return taken;
}

// Rows from `first` on.
void LinearWalk::meet_in_registers(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count,
                                   llvm::Value* first) {
  const std::vector<GroupPlace> met = how_.ready_bytes() > 0 ? make_ready(groups, block) : groups;
  for (int64_t together = k.target().in_registers().rows; together > 0;
       together = power_of_two_up_to(together - 1)) {
    llvm::Value* left = b.CreateSub(count_, first);
    llvm::Value* end = b.CreateSub(count_, b.CreateURem(left, k.i64(together)));
    k.loop(first, end, together, [&](llvm::Value* row) { meet_rows(met, block, count, row, together); });
    first = end;
  }
}

// Read from memory once, and from then on in the first level of the cache, whatever many rows cost.
std::vector<GroupPlace> LinearWalk::make_ready(const std::vector<GroupPlace>& groups, llvm::Value* block) {
  std::vector<GroupPlace> out;
  for (size_t i = 0; i < groups.size(); ++i) {
    layout_.emit_ready(k, groups[i], block, prepared(i));
    out.push_back({prepared(i)});
  }
  return out;
}

// For a block of a group: made ready, or as a matrix unit takes it.
llvm::Value* LinearWalk::prepared(size_t group) {
  const int64_t bytes = std::max(layout_.ready_bytes(k.target()), MatrixUnit::kRows * kQ8Block);
  while (prepared_.size() <= group) prepared_.push_back(k.buffer(bytes, 64));
  return prepared_[group];
}

// So many rows against as many groups as leave their products in registers, then the next ones.
void LinearWalk::meet_rows(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count,
                           llvm::Value* row, int64_t together) {
  const auto all = static_cast<int64_t>(groups.size());
  const int64_t width =
      how_.known() > 0 ? all : std::clamp<int64_t>(k.target().in_registers().products / together, 1, all);
  for (int64_t from = 0; from < all; from += width) {
    Contraction c;
    c.cols = form.cols;
    c.ready = how_.ready_bytes() > 0;
    for (int64_t m = 0; m < together; ++m) c.x.push_back(activations(row, m));
    for (int64_t i = from; i < std::min(from + width, all); ++i) {
      c.w.push_back(groups[static_cast<size_t>(i)]);
      auto& sums = c.sums.emplace_back();
      for (int64_t m = 0; m < together; ++m) sums.push_back(sum(row, static_cast<size_t>(i), m));
    }
    if (together >= WalkForm::kMany && how_.asks_in_turns(prefetch_->lines())) {
      const auto ask = [this, from, streams = c.w.size()](llvm::Value* turn) {
        for (size_t i = 0; i < streams; ++i) prefetch_->ask(static_cast<size_t>(from) + i, turn);
      };
      c.beside = [=, this](llvm::Value* turn) {
        how_.known() > 0 ? ask(turn) : k.if_then(b.CreateICmpEQ(row, k.i64(0)), [&] { ask(turn); });
      };
    }
    layout_.emit_block(k, c, block, count);
  }
}

void LinearWalk::multiply_by_unit(const UnitContraction& of_block, llvm::Value* block, llvm::Value* row,
                                  llvm::Value* rows, bool rest) {
  UnitContraction c = of_block;
  c.x = [&](llvm::Value* m) { return activations(k.add(row, m), 0); };
  c.x_numbers = Activations(k, form.cols, block).numbers(c.x(k.i64(0)));
  c.x_apart = apart_;
  if (listed()) gather(c, block, rows);
  for (size_t i = 0; i < c.w.size(); ++i) c.sums.push_back(sum(row, i));
  c.sums_apart = WalkForm::kStreams * layout_.group_rows() * 4;
  c.rows = rows;
  c.rest = rest;
  c.cols = form.cols;
  layout_.emit_block_by_unit(k, c, block);
}

// The unit reads rows that lie evenly apart.
void LinearWalk::gather(UnitContraction& c, llvm::Value* block, llvm::Value* rows) {
  if (!gathered_) gathered_ = k.buffer(MatrixUnit::kTokens * kQ8Block, 64);
  const Activations of_block(k, form.cols, block);
  llvm::Type* numbers = k.vector(b.getInt8Ty(), kQ8Block);
  k.loop(k.i64(0), rows, 1, [&](llvm::Value* row) {
    k.store(k.load(numbers, of_block.numbers(c.x(row))), k.at(gathered_, k.mul(row, kQ8Block)));
  });
  c.x_numbers = gathered_;
  c.x_apart = k.i64(kQ8Block);
}

void LinearWalk::finish(const Streams& s, llvm::Value* group, llvm::Value* row) {
  llvm::Type* type = k.vector(b.getFloatTy(), layout_.group_rows());
  const WithLanes wide(k, outputs_.lanes());
  for (int64_t i = 0; i < s.width; ++i) {
    llvm::Value* number = k.add(group, k.mul(s.apart, i));
    std::vector<llvm::Value*> sums;
    for (int64_t part = 0; part < form.parts(); ++part)
      sums.push_back(k.load(type, finished_sum(row, static_cast<size_t>(part * s.width + i)), 4));
    for (int64_t at = 0; at < layout_.group_rows() / k.lanes(); ++at) {
      llvm::Value* column = k.add(k.mul(number, layout_.group_rows()), k.i64(at * k.lanes()));
      std::vector<llvm::Value*> of_parts;
      for (llvm::Value* of_part : sums) of_parts.push_back(k.part(of_part, at));
      llvm::Value* result = outputs_.finish(column, k.add(from_, row), row, of_parts);
      if (form.quantised.valid()) outputs_.keep(number, at, row, result);
    }
  }
}

llvm::Value* LinearWalk::sum(llvm::Value* row, size_t group, int64_t behind) {
  if (how_.known() == 0) return kept_sum(row, group, behind);
  return variables_[static_cast<size_t>(llvm::cast<llvm::ConstantInt>(row)->getSExtValue() + behind)][group];
}

llvm::Value* LinearWalk::finished_sum(llvm::Value* row, size_t group) {
  return how_.known() == 1 ? variables_[0][group] : kept_sum(row, group);
}

// A row some way behind another is reached by a constant, which costs no register.
llvm::Value* LinearWalk::kept_sum(llvm::Value* row, size_t group, int64_t behind) {
  const int64_t line = layout_.group_rows() * 4;
  return k.at(k.at(sums_, k.mul(row, WalkForm::kStreams * line)),
              (behind * WalkForm::kStreams + static_cast<int64_t>(group)) * line);
}

llvm::Value* LinearWalk::activations(llvm::Value* row, int64_t behind) {
  if (listed())
    return k.load(b.getPtrTy(), k.at(table_, k.mul(k.add(row, k.i64(behind)), kPointer)), kPointer);
  llvm::Value* x = activations_anywhere(row);
  return behind == 0 ? x : k.at(x, k.mul(apart_, behind));
}

// f32, or quantised (kernels/activations.h).
llvm::Value* LinearWalk::activations_anywhere(llvm::Value* row) {
  const ValueId operand = form.op().operands[0];
  const LinearRow at = rows_.at(k.add(from_, row));
  llvm::Value* x = RowEmitter(k, form.frame, at.token).address(operand);
  if (form.frame.g.type(operand).rank() == 2) return x;
  // Each slot of a mixture has a row of its own.
  const int64_t sub_row = form.frame.slot(operand).sub_row;
  const int64_t apart = sub_row ? sub_row : form.cols;
  return k.at(x, k.mul(at.slot, is_quantised(layout_.dtype()) ? quantised_bytes(form.cols) : apart * 4));
}

void LinearWalk::for_rows(const std::function<void(llvm::Value* row)>& body) {
  if (how_.known() == 1) return body(k.i64(0));
  k.loop(k.i64(0), count_, 1, body);
}

}  // namespace lmc
