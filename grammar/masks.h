// A grammar made ready for a vocabulary: which tokens may come in which of its states. What was found once is
// kept for all texts.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "grammar/states.h"
#include "grammar/vocabulary.h"

namespace lmc::grammar {

// Which tokens may come, ends included.
struct Mask {
  int64_t count = 0;
  std::vector<int32_t> few;           // sorted; if there are few, and then not `many`
  std::shared_ptr<const IdSet> many;  // or null
};

class Masks {
 public:
  Masks(const Machine& machine, std::shared_ptr<const Vocabulary> vocabulary);

  States& states() { return states_; }
  std::shared_ptr<const Mask> of(StateId state);
  int64_t bytes() const { return states_.bytes() + mask_bytes_; }

 private:
  std::shared_ptr<const Mask> compute(StateId state);
  void walk(const Trie& trie, StateId state);
  void add_kind(const Vocabulary::OfKind& kind, uint32_t taken, StateId state);
  uint32_t chars_taken(size_t kind, uint32_t least, StateId state);

  States states_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  struct Byte {
    uint8_t from, byte, to;
  };
  std::vector<Byte> plain_bytes_[kKinds];  // of plain_steps(): one of each class
  IdSet found_;
  std::vector<std::shared_ptr<const Mask>> masks_;  // by state
  int64_t mask_bytes_ = 0;
  std::vector<StateId> path_;  // by depth
};

}  // namespace lmc::grammar
