// Texts under a grammar: what a tokenizer's tokens may be, one by one, so that the bytes are a text of the
// grammar when an end-of-sequence id comes.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "grammar/grammar.h"
#include "grammar/masks.h"
#include "runtime/constraint.h"

namespace lmc::grammar {

// A grammar compiled for a vocabulary; any number of texts use one, from any thread.
class CompiledGrammar {
 public:
  // Error for what cannot be compiled (Machine).
  CompiledGrammar(const Grammar& grammar, std::shared_ptr<const Vocabulary> vocabulary);
  const Vocabulary& vocabulary() const { return *vocabulary_; }
  // Steps over what nobody has read yet that a text may take at first: a mask asks for every token's bytes,
  // so there are as many more as those are.
  size_t most_steps() const;

  // Memory for states and masks before they are begun anew, those of texts under way aside.
  static constexpr int64_t kMostBytes = int64_t{64} << 20;

 private:
  friend class GrammarConstraint;
  Machine machine_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::mutex mutex_;
  std::shared_ptr<Masks> masks_;
};

class GrammarConstraint : public Constraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<CompiledGrammar> grammar);

  bool allows(int32_t id) override;
  const IdSet& allowed() override;
  int64_t choices() override;
  std::optional<int32_t> forced() override;
  void accept(int32_t id) override;
  void roll_back(int64_t tokens) override;
  int64_t accepted() const override { return static_cast<int64_t>(path_.size()) - 1; }
  bool ended() override;
  void restart() override;

  // May the text end here?
  bool may_end();

 private:
  class Steps;
  StateId behind(int32_t id);
  const Mask& mask();
  void make_room();

  std::shared_ptr<CompiledGrammar> grammar_;
  std::shared_ptr<Masks> masks_;
  std::vector<StateId> path_;         // behind each token; dead behind an end id
  std::shared_ptr<const Mask> mask_;  // of the last one; null: not asked for yet
  size_t steps_ = 0;                  // left; each token adds some, up to most_steps()
  IdSet few_;
};

}  // namespace lmc::grammar
