#include "runtime/repeat_index.h"

#include <algorithm>

namespace lmc {
namespace {

constexpr uint32_t kNone = UINT32_MAX, kRoot = 0;

// Ids are small and often close; the multiplication spreads them over the upper half.
size_t hash_of(uint32_t from, int32_t token) {
  uint64_t h = (uint64_t{from} << 32 | static_cast<uint32_t>(token)) * 0x9E3779B97F4A7C15;
  h ^= h >> 29;
  return static_cast<size_t>((h * 0xBF58476D1CE4E5B9) >> 32);
}

}  // namespace

RepeatIndex::RepeatIndex(size_t most_tokens) : most_tokens_(std::max<size_t>(most_tokens, 2)) { clear(); }

void RepeatIndex::clear() {
  text_.clear();
  states_.clear();
  edges_.clear();
  slots_.assign(16, kNone);
  last_ = add_state(0, kNone, 0);
  match_ = {};
}

void RepeatIndex::append(int32_t token) {
  if (text_.size() == most_tokens_) forget_older_half();
  add(token);
}

void RepeatIndex::separate() {
  if (text_.empty() || text_.back() < 0) return;
  separators_ = separators_ == INT32_MAX ? 1 : separators_ + 1;
  append(-separators_);
}

// The construction of Blumer et al. (1985): states for the new endings, from the longest down to the first
// that occurred before with `token` behind it.
void RepeatIndex::add(int32_t token) {
  text_.push_back(token);
  const auto end = static_cast<uint32_t>(text_.size());
  const uint32_t whole = add_state(states_[last_].length + 1, kRoot, end);
  uint32_t from = last_;
  last_ = whole;
  uint32_t edge = kNone;
  for (; from != kNone && (edge = slot(from, token)) == kNone; from = states_[from].link)
    add_edge(from, token, whole);
  uint32_t ending = kRoot;
  if (edge != kNone) {
    const bool exact = states_[edges_[edge].to].length == states_[from].length + 1;
    ending = exact ? edges_[edge].to : split(from, edge);
  }
  states_[whole].link = ending;
  match_ = {states_[ending].length, states_[ending].last_end};
  // The endings occurred here, too. Of a text that repeats itself there may be as many as it has tokens.
  for (int i = 0; i < kLatestKept && ending != kRoot; ++i, ending = states_[ending].link)
    states_[ending].last_end = end;
}

// The edge's state has longer pieces than those that end here now: the shorter get a state of their own.
uint32_t RepeatIndex::split(uint32_t from, uint32_t edge) {
  const int32_t token = edges_[edge].token;
  const uint32_t longer = edges_[edge].to;
  const uint32_t shorter =
      add_state(states_[from].length + 1, states_[longer].link, states_[longer].last_end);
  for (uint32_t e = states_[longer].edges; e != kNone; e = edges_[e].next)
    add_edge(shorter, edges_[e].token, edges_[e].to);
  states_[longer].link = shorter;
  for (; from != kNone; from = states_[from].link) {
    Edge& e = edges_[slot(from, token)];
    if (e.to != longer) break;
    e.to = shorter;
  }
  return shorter;
}

uint32_t RepeatIndex::add_state(uint32_t length, uint32_t link, uint32_t last_end) {
  states_.push_back({length, link, last_end, kNone});
  return static_cast<uint32_t>(states_.size() - 1);
}

void RepeatIndex::add_edge(uint32_t from, int32_t token, uint32_t to) {
  if ((edges_.size() + 1) * 4 > slots_.size() * 3) grow_slots();
  const auto edge = static_cast<uint32_t>(edges_.size());
  edges_.push_back({from, token, to, states_[from].edges});
  states_[from].edges = edge;
  slot(from, token) = edge;
}

// Where the edge stands, or would.
uint32_t& RepeatIndex::slot(uint32_t from, int32_t token) {
  const size_t mask = slots_.size() - 1;
  size_t i = hash_of(from, token) & mask;
  while (slots_[i] != kNone && (edges_[slots_[i]].from != from || edges_[slots_[i]].token != token))
    i = (i + 1) & mask;
  return slots_[i];
}

void RepeatIndex::grow_slots() {
  slots_.assign(slots_.size() * 2, kNone);
  for (uint32_t e = 0; e < edges_.size(); ++e) slot(edges_[e].from, edges_[e].token) = e;
}

void RepeatIndex::forget_older_half() {
  const std::vector<int32_t> kept(text_.end() - static_cast<ptrdiff_t>(most_tokens_ / 2), text_.end());
  clear();
  for (const int32_t token : kept) add(token);
}

}  // namespace lmc
