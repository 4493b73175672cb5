// The byte strings of a vocabulary as tries, made once for all grammars.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/id_set.h"

namespace lmc::grammar {

// Nodes in the order of a walk that visits all of them: a node's first child is next to it.
struct Trie {
  struct Node {
    uint32_t past = 0;  // the first node that is not below it
    uint8_t byte = 0;
    bool ends = false;  // is it the end of a token?
    uint16_t depth = 0;
  };
  std::vector<Node> nodes;
  std::vector<uint32_t> first;  // by node, and one behind the last: of `ids`, its own and then those below
  std::vector<int32_t> ids;
  uint32_t depth = 0;
};

class Vocabulary {
 public:
  // texts[id]: what a token adds to a text, bytes of any kind; "" for one that adds none (control tokens and
  // those that must never be chosen). `ends`: ids that may be chosen where a text may end, and only there.
  // Error for an id that is not in the vocabulary, a text of more than 4096 bytes and more than 2^24 tokens.
  Vocabulary(std::vector<std::string> texts, std::span<const int32_t> ends);

  int64_t size() const { return static_cast<int64_t>(texts_.size()); }
  const std::string& text(int32_t id) const { return texts_[static_cast<size_t>(id)]; }
  const std::vector<int32_t>& ends() const { return ends_; }
  bool is_end(int32_t id) const;
  int32_t longest() const { return longest_; }  // text, in bytes

  // Tokens of nothing but characters of one kind, by how many they have: where a state takes any `most_chars`
  // of the kind, it takes all `ids`.
  struct Plain {
    uint32_t most_chars = 0;
    Trie trie;
    IdSet ids;  // these and those of fewer characters
  };
  // A token is with the first kind that has all its characters.
  struct OfKind {
    std::vector<Plain> by_chars;
    Trie all;
  };
  const std::vector<OfKind>& kinds() const { return kinds_; }
  const Trie& others() const { return others_; }  // of no kind
  const Trie& all() const { return all_; }

 private:
  std::vector<std::string> texts_;
  std::vector<int32_t> ends_;
  int32_t longest_ = 0;
  std::vector<OfKind> kinds_;
  Trie others_, all_;
};

// The kinds: a-z, those and the blank, letters of ASCII, those and the blank, whatever of ASCII stands for
// itself between the quotes of a JSON string, and whatever else does, but line ends of Unicode. Each has what
// the one before has, but letters no blank.
inline constexpr size_t kKinds = 6;
// A path through the bytes of the characters of a kind: from step 0 (between characters) `first` … `last`
// lead to step `to`.
struct PlainStep {
  uint8_t from, first, last, to;
};
std::span<const PlainStep> plain_steps(size_t kind);
bool kind_within(size_t kind, size_t other);  // has `other` all its characters?

}  // namespace lmc::grammar
