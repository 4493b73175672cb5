#include "codegen/kernels/walk_form.h"

#include <algorithm>
#include <bit>

namespace lmc {
namespace {

constexpr int64_t kEachNumber = 6;  // up to so many rows have a walk of their own, then even numbers
constexpr int64_t kFew = 2;         // rows whose arithmetic hides behind memory in any format

}  // namespace

int64_t power_of_two_up_to(int64_t n) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(n)));
}

WalkForm::WalkForm(const Target& target, const LinearForm& form, int64_t known)
    : target_(&target), form_(&form), known_(known) {}

bool WalkForm::by_unit() const {
  return !form_->frame.single() && layout().by_matrix_unit(*target_) != WeightLayout::ByUnit::no;
}

// Sums of so few rows fit registers beside the products of a block, but for a few that are spilled where
// requests come in turns: in four streams all the same, which read faster there.
int64_t WalkForm::most_in_registers() const {
  const Target::InRegisters fit = target_->in_registers();
  const int64_t in_all_streams = fit.products / (2 * kStreams);
  if (may_ask_in_turns()) return in_all_streams == kMany - 1 ? kMany : in_all_streams;
  return by_unit() ? in_all_streams : std::min(fit.rows, fit.products / 2);
}

// Numbers that are as good as multiplied when they are read have nothing to gain from a block that many rows
// meet: what is loaded and stored of sums would cost more than reading them again.
bool WalkForm::always_in_registers() const {
  return !by_unit() && layout().ready_bytes(*target_) == 0 && layout().turns() == 0;
}

bool WalkForm::has_its_own(int64_t rows) { return rows <= kEachNumber || rows % 2 == 0; }

// As many as memory likes, or, of rows in registers, as fit there.
int64_t WalkForm::streams() const {
  if (known_ == 0 || may_ask_in_turns()) return kStreams;
  const int64_t fit = target_->in_registers().products / (2 * known_);
  return std::clamp(power_of_two_up_to(fit), form_->parts(), kStreams);
}

// Where arithmetic binds, as it does when blocks must be made ready for more than a row or two, weights had
// better be in the first level when they are needed.
int64_t WalkForm::prefetch_level() const {
  const bool bound_by_memory = layout().ready_bytes(*target_) == 0 || (known_ > 0 && known_ <= kFew);
  return bound_by_memory ? std::max<int64_t>(form_->frame.spec.prefetch, 1) : 1;
}

int64_t WalkForm::most_that_do_not_ask() const {
  return form_->frame.spec.prefetch == 0 && layout().ready_bytes(*target_) == 0 ? kFew : 0;
}

// A few lines in each turn of the first rows' products keep memory busy without a pause; all at once are more
// than it takes at a time. Few rows are done before that matters.
bool WalkForm::asks_in_turns(int64_t lines) const {
  return (known_ == 0 || known_ >= kMany) && may_ask_in_turns() && layout().turns() <= lines;
}

bool WalkForm::may_ask_in_turns() const {
  return !by_unit() && layout().ready_bytes(*target_) == 0 && layout().turns() > 0;
}

// A matrix unit that takes blocks as they lie leaves few rows over, and these take them so too.
int64_t WalkForm::ready_bytes() const {
  const bool as_they_lie = layout().by_matrix_unit(*target_) == WeightLayout::ByUnit::in_place;
  return known_ > 0 || as_they_lie ? 0 : layout().ready_bytes(*target_);
}

}  // namespace lmc
