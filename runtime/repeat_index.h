// Where did the ending of a text occur before? A suffix automaton, built token by token: it holds every piece
// of the text, so the longest ending that occurred before is exact, however long, at amortised O(1) a token.
// Knows nothing of models, nor of what is guessed from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmc {

class RepeatIndex {
 public:
  // Tokens held at most, 50 MB at worst; beyond that the older half is forgotten and the rest indexed again,
  // which over the half that led there is O(1) a token.
  static constexpr size_t kMostTokens = size_t{1} << 18;

  explicit RepeatIndex(size_t most_tokens = kMostTokens);

  // `token` is 0 or more.
  void append(int32_t token);
  // The text ends here, and another begins: nothing that is found spans the two.
  void separate();

  // The longest ending that occurred before, and where its latest occurrence was followed: at(next).
  struct Match {
    size_t length = 0;  // 0: the last token is new, or there is none
    size_t next = 0;
  };
  // Exact in length. An occurrence is not counted among the latest where kLatestKept longer endings, each
  // repeated at places of its own, ended there as well: a text of one token over and over has as many as
  // tokens.
  Match match() const { return match_; }
  static constexpr int kLatestKept = 32;

  size_t size() const { return text_.size(); }
  // A token, or negative between two texts. i < size()
  int32_t at(size_t i) const { return text_[i]; }

 private:
  // A set of pieces of the text that end at the same places: those of `length` tokens and less, down to one
  // more than its link's, which is the next shorter such set.
  struct State {
    uint32_t length, link, last_end, edges;  // last_end: position behind an occurrence; edges: a list's first
  };
  struct Edge {
    uint32_t from;
    int32_t token;
    uint32_t to, next;  // next: of the same state
  };

  void add(int32_t token);
  uint32_t add_state(uint32_t length, uint32_t link, uint32_t last_end);
  uint32_t split(uint32_t from, uint32_t edge);
  void add_edge(uint32_t from, int32_t token, uint32_t to);
  uint32_t& slot(uint32_t from, int32_t token);
  void grow_slots();
  void forget_older_half();
  void clear();

  size_t most_tokens_;
  std::vector<int32_t> text_;
  std::vector<State> states_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> slots_;  // a hash table of edges by state and token, a power of two
  uint32_t last_ = 0;            // the state of the whole text
  int32_t separators_ = 0;       // each another token, so that none repeats
  Match match_;
};

}  // namespace lmc
