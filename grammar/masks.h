// A grammar made ready for a vocabulary: which tokens may come in which of its states. What was found once is
// kept for all texts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
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
  int64_t bytes() const;

 private:
  // What a state takes, whichever characters of a kind they are.
  struct Taken {
    bool known = false;
    uint32_t chars[kKinds] = {};  // so many; those of any token if it never ends
    // The state behind any number of the kind's characters, from one on; dead if there are several.
    StateId behind_word = States::kDead, behind_string = States::kDead;
  };

  std::shared_ptr<const Mask> compute(StateId state);
  void add(const Vocabulary::Slice& slice, StateId state);
  void add(const Vocabulary::Group& group, const Taken& taken, StateId state);
  void walk(const Trie& trie, StateId state);
  std::optional<StateId> behind_each(std::string_view bytes, StateId state);
  Taken taken_by(StateId state);
  uint32_t chars_taken(size_t kind, uint32_t least, StateId state, StateId& behind);

  States states_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  struct Byte {
    uint8_t from, byte, to;
  };
  std::vector<Byte> plain_bytes_[kKinds];  // of plain_steps(): one of each class
  IdSet found_;
  std::vector<Taken> taken_;                   // by state
  std::vector<uint32_t> least_taken_[kKinds];  // by state: characters that it is known to take, or more
  // All states behind so many characters of a kind, whichever they are.
  struct Far {
    uint32_t chars = 0;
    std::vector<StateId> level;
  };
  std::map<std::vector<StateId>, Far> far_[kKinds];  // by all states before them, sorted
  std::vector<std::shared_ptr<const Mask>> masks_;   // by state
  int64_t mask_bytes_ = 0;
  std::vector<StateId> path_;  // by depth
};

}  // namespace lmc::grammar
