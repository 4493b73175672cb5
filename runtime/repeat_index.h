// Where did the ending of a text occur before, in it or in others? A suffix automaton of many texts that grow
// side by side, built token by token: it holds every piece of them, so the longest ending that occurred
// before is exact, however long, at amortised O(1) a token. Knows nothing of models, nor of what is guessed
// from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace lmc {

class RepeatIndex {
 public:
  // Tokens held at most, 60 MB at worst; beyond that half is forgotten, texts that have ended and old ones
  // first, and the rest indexed again, which over the half that led there is O(1) a token.
  static constexpr size_t kMostTokens = size_t{1} << 18;

  explicit RepeatIndex(size_t most_tokens = kMostTokens);

  // Numbers are not used again.
  using TextId = uint32_t;
  TextId begin();  // an empty text
  // A text that so far is a piece of what is held is not held again, but for its last kOverlap tokens when it
  // parts from that: so many requests may begin alike.
  void append(TextId text, int32_t token);
  // Nothing more comes. What is held of it is found until it is forgotten.
  void end(TextId text);
  static constexpr size_t kOverlap = 64;

  // The longest ending of a text that occurred before with something behind it, and where its latest
  // occurrence was followed.
  struct Match {
    size_t length = 0;  // 0: the last token is new, or there is none
    TextId text = 0;
    size_t next = 0;
  };
  // Exact in length, for texts that are held. An occurrence is not counted among the latest where kLatestKept
  // longer endings, each repeated at places of its own, ended there as well: a text of one token over and
  // over has as many as tokens.
  Match match(TextId text) const;
  static constexpr int kLatestKept = 32;

  // What followed there, to the end of that text as it is now: a token or more. Valid until the next call
  // that is not const.
  std::span<const int32_t> behind(const Match& match) const;

  size_t size() const { return size_; }  // tokens held

 private:
  // A set of pieces of the texts that end at the same places: those of `length` tokens and less, down to one
  // more than its link's, which is the next shorter such set.
  struct State {
    uint32_t length, link, edges;  // edges: a list's first
    TextId text;                   // where such a piece was followed by something
    uint32_t next;                 // 0: nowhere
  };
  struct Edge {
    uint32_t from;
    int32_t token;
    uint32_t to, next;  // next: of the same state
  };
  struct Text {
    std::vector<int32_t> tokens;
    uint32_t last;      // the state of the whole text
    bool held = false;  // or else a piece of others
    bool ended = false;
  };

  uint32_t state_of(size_t length, uint32_t state) const;
  void hold(TextId id, Text& text);
  void add(TextId id, Text& text, int32_t token);
  uint32_t extend(uint32_t last, int32_t token);
  uint32_t add_state(uint32_t length, uint32_t link);
  uint32_t split(uint32_t from, uint32_t edge);
  void add_edge(uint32_t from, int32_t token, uint32_t to);
  uint32_t& slot(uint32_t from, int32_t token);
  void grow_slots();
  void forget_half();
  void cut(Text& text, size_t tokens);
  void clear();

  size_t most_tokens_, size_ = 0;
  std::map<TextId, Text> texts_;  // the older, the lower
  TextId last_id_ = 0;
  std::vector<State> states_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> slots_;  // a hash table of edges by state and token, a power of two
};

}  // namespace lmc
