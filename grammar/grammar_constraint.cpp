#include "grammar/grammar_constraint.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/error.h"

namespace lmc::grammar {
namespace {

// A usual mask takes thousands of steps, some 10 ns each.
constexpr size_t kStepsOfGrammar = size_t{1} << 21, kStepsOfByte = 8;
constexpr size_t kTokensOfMost = 16;  // a token adds this part of the most

}  // namespace

// While it lives, what is read is at the text's expense.
class GrammarConstraint::Steps {
 public:
  explicit Steps(GrammarConstraint& text) : text_(text), states_(text.masks_->states()) {
    states_.budget = text.steps_;
  }
  ~Steps() { text_.steps_ = states_.budget; }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

 private:
  GrammarConstraint& text_;
  States& states_;
};

CompiledGrammar::CompiledGrammar(const Grammar& grammar, std::shared_ptr<const Vocabulary> vocabulary)
    : machine_(grammar),
      vocabulary_(std::move(vocabulary)),
      masks_(std::make_shared<Masks>(machine_, vocabulary_)) {}

size_t CompiledGrammar::most_steps() const {
  return std::min(kStepsOfGrammar + kStepsOfByte * static_cast<size_t>(vocabulary_->bytes()),
                  States::kBudget);
}

GrammarConstraint::GrammarConstraint(std::shared_ptr<CompiledGrammar> grammar)
    : grammar_(std::move(grammar)), few_(grammar_->vocabulary().size()) {
  restart();
}

void GrammarConstraint::restart() {
  const std::lock_guard lock(grammar_->mutex_);
  masks_ = grammar_->masks_;
  path_.assign(1, masks_->states().start());
  mask_.reset();
  steps_ = grammar_->most_steps();
}

// The state once `id` has come; dead if it may not.
StateId GrammarConstraint::behind(int32_t id) {
  const Vocabulary& v = grammar_->vocabulary();
  if (id < 0 || id >= v.size() || v.text(id).empty()) return States::kDead;
  const Steps steps(*this);
  return masks_->states().next(path_.back(), v.text(id));
}

bool GrammarConstraint::allows(int32_t id) {
  const std::lock_guard lock(grammar_->mutex_);
  if (grammar_->vocabulary().is_end(id)) return masks_->states().may_end(path_.back());
  return behind(id) != States::kDead;
}

const Mask& GrammarConstraint::mask() {
  const std::lock_guard lock(grammar_->mutex_);
  if (mask_) return *mask_;
  const Steps steps(*this);
  mask_ = masks_->of(path_.back());
  return *mask_;
}

const IdSet& GrammarConstraint::allowed() {
  const Mask& m = mask();
  if (m.many) return *m.many;
  few_.clear();
  for (const int32_t id : m.few) few_.add(id);
  return few_;
}

int64_t GrammarConstraint::choices() { return mask().count; }

std::optional<int32_t> GrammarConstraint::forced() {
  const Mask& m = mask();
  return m.count == 1 && !m.many ? std::optional(m.few[0]) : std::nullopt;
}

void GrammarConstraint::accept(int32_t id) {
  const std::lock_guard lock(grammar_->mutex_);
  const bool end = grammar_->vocabulary().is_end(id);
  const StateId to = end ? States::kDead : behind(id);
  if (end ? !masks_->states().may_end(path_.back()) : to == States::kDead)
    throw Error("token " + std::to_string(id) + " may not come here under the grammar");
  path_.push_back(to);
  mask_.reset();
  const size_t most = grammar_->most_steps();
  steps_ = std::min(steps_ + most / kTokensOfMost, most);
  make_room();
}

// What has been found out may be forgotten: whoever finds too much of it begins anew, and others follow when
// they begin a text.
void GrammarConstraint::make_room() {
  if (masks_->bytes() <= CompiledGrammar::kMostBytes) return;
  if (masks_ == grammar_->masks_)
    grammar_->masks_ = std::make_shared<Masks>(grammar_->machine_, grammar_->vocabulary_);
  grammar_->masks_->states().budget = ~size_t{0};  // what was read once is only copied
  for (StateId& s : path_) s = grammar_->masks_->states().copy(masks_->states(), s);
  masks_ = grammar_->masks_;
}

void GrammarConstraint::roll_back(int64_t tokens) {
  if (tokens == 0) return;
  path_.resize(path_.size() - static_cast<size_t>(tokens));
  mask_.reset();
}

bool GrammarConstraint::ended() {
  const std::lock_guard lock(grammar_->mutex_);
  const StateId s = path_.back();
  return !masks_->states().may_go_on(s) &&
         (!masks_->states().may_end(s) || grammar_->vocabulary().ends().empty());
}

bool GrammarConstraint::may_end() {
  const std::lock_guard lock(grammar_->mutex_);
  return masks_->states().may_end(path_.back());
}

}  // namespace lmc::grammar
