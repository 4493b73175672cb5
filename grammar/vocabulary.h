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
  int64_t bytes() const { return bytes_; }      // all texts

  // Tokens of so many characters at most: where a state takes any `most_chars` of the kind, it takes all
  // `ids`.
  struct Plain {
    uint32_t most_chars = 0;
    Trie trie;
    IdSet ids;  // these and those of fewer characters
  };
  // Tokens of nothing but characters of one kind, the first that has them all; kKinds: of none. `words`:
  // those that begin with a-z and go on otherwise.
  struct Group {
    size_t kind = 0;
    bool words = false;
    std::vector<Plain> by_chars;
    Trie all;
    Trie behind_word;  // if `words`: what stands behind those of a-z
  };
  // The tokens that begin with a blank, with a quote, with a capital, with a blank and a capital (each
  // without these), and all others.
  struct Slice {
    std::vector<std::string> lead;  // one of these bytes, then one of those, …
    Trie with_last;                 // with what stands for the last of `lead`, if there is a choice
    std::vector<Group> groups;
    std::vector<IdSet> up_to;  // by kind: all of it and of those before
    // Of the groups that have what a JSON string must escape: behind characters of kStringKind, and from the
    // beginning, if there are none at it.
    Trie behind_string, no_string;
  };
  const std::vector<Slice>& slices() const { return slices_; }
  uint32_t most_chars(size_t kind) const {
    return most_chars_[kind];
  }                                          // of a token of the kind or one before
  uint32_t depth() const { return depth_; }  // of the tries

 private:
  std::vector<std::string> texts_;
  std::vector<int32_t> ends_;
  int32_t longest_ = 0;
  int64_t bytes_ = 0;
  std::vector<Slice> slices_;
  std::vector<uint32_t> most_chars_;
  uint32_t depth_ = 0;
};

// The kinds: a-z, letters of ASCII, whatever of ASCII stands for itself between the quotes of a JSON string,
// whatever else does, but line ends of Unicode; and these with the quote and the backslash. Each has what the
// one before has.
inline constexpr size_t kKinds = 5, kWordKind = 0, kStringKind = 3;
// A path through the bytes of the characters of a kind: from step 0 (between characters) `first` … `last`
// lead to step `to`.
struct PlainStep {
  uint8_t from, first, last, to;
};
std::span<const PlainStep> plain_steps(size_t kind);

}  // namespace lmc::grammar
