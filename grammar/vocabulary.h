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
    uint32_t past = 0;   // the first node that is not below it
    uint32_t first = 0;  // of `ids`: its own, and then those below
    uint16_t own = 0;
    uint16_t depth = 0;
    uint8_t byte = 0;
  };
  std::vector<Node> nodes;
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

  // Tokens of nothing but characters that stand for themselves between the quotes of a JSON string, by how
  // many characters they have: where a state takes any `most_chars` of these, it takes all `ids`.
  struct Plain {
    uint32_t most_chars = 0;
    Trie trie;
    IdSet ids;  // these and those of fewer characters
  };
  const std::vector<Plain>& plain() const { return plain_; }
  const Trie& others() const { return others_; }

 private:
  std::vector<std::string> texts_;
  std::vector<int32_t> ends_;
  int32_t longest_ = 0;
  std::vector<Plain> plain_;
  Trie others_;
};

// A path through the bytes of characters that stand for themselves in a JSON string, for whoever steps over
// all of them: from step 0 (between characters) `first` … `last` lead to step `to`.
struct PlainStep {
  uint8_t from, first, last, to;
};
std::span<const PlainStep> plain_steps();
inline constexpr int kPlainSteps = 8;

}  // namespace lmc::grammar
