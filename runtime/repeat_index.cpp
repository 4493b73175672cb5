#include "runtime/repeat_index.h"

#include <algorithm>
#include <utility>

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
  size_ = 0;
  states_.clear();
  edges_.clear();
  slots_.assign(16, kNone);
  add_state(0, kNone);
}

RepeatIndex::TextId RepeatIndex::begin() {
  texts_[++last_id_].last = kRoot;
  return last_id_;
}

void RepeatIndex::end(TextId id) {
  const auto it = texts_.find(id);
  it->second.ended = true;
  if (!it->second.held) texts_.erase(it);
}

void RepeatIndex::append(TextId id, int32_t token) {
  Text& text = texts_.find(id)->second;
  if (!text.held) {
    const uint32_t from = state_of(text.tokens.size(), text.last), edge = slot(from, token);
    if (edge != kNone) {
      text.last = edges_[edge].to;
      text.tokens.push_back(token);
      return;
    }
    hold(id, text);
  }
  add(id, text, token);
}

// Of a piece that was in `state`, which others may have split.
uint32_t RepeatIndex::state_of(size_t length, uint32_t state) const {
  while (state != kRoot && states_[states_[state].link].length >= length) state = states_[state].link;
  return state;
}

// From its last tokens on.
void RepeatIndex::hold(TextId id, Text& text) {
  const std::vector<int32_t> all = std::exchange(text.tokens, {});
  text.held = true;
  text.last = kRoot;
  for (size_t i = all.size() - std::min(all.size(), kOverlap); i < all.size(); ++i) add(id, text, all[i]);
}

void RepeatIndex::add(TextId id, Text& text, int32_t token) {
  if (size_ == most_tokens_) forget_half();
  // The endings are followed by something here. Of a text that repeats itself there may be as many as it has
  // tokens.
  uint32_t ending = text.last;
  for (int i = 0; i <= kLatestKept && ending != kRoot; ++i, ending = states_[ending].link) {
    states_[ending].text = id;
    states_[ending].next = static_cast<uint32_t>(text.tokens.size());
  }
  text.tokens.push_back(token);
  ++size_;
  text.last = extend(text.last, token);
}

RepeatIndex::Match RepeatIndex::match(TextId id) const {
  const Text& text = texts_.find(id)->second;
  uint32_t state = text.held ? text.last : state_of(text.tokens.size(), text.last);
  while (state != kRoot && states_[state].next == 0) state = states_[state].link;
  if (state == kRoot) return {};
  const State& s = states_[state];
  return {std::min<size_t>(s.length, text.tokens.size()), s.text, s.next};
}

std::span<const int32_t> RepeatIndex::behind(const Match& match) const {
  return std::span(texts_.find(match.text)->second.tokens).subspan(match.next);
}

// The construction of Blumer et al. (1985), of several texts as in their "Complete inverted files" (1987):
// states for the new endings, from the longest down to the first that occurred before with `token` behind it.
uint32_t RepeatIndex::extend(uint32_t last, int32_t token) {
  const auto known = [&](uint32_t from, uint32_t edge) {
    const bool exact = states_[edges_[edge].to].length == states_[from].length + 1;
    return exact ? edges_[edge].to : split(from, edge);
  };
  uint32_t edge = slot(last, token);
  if (edge != kNone) return known(last, edge);  // the whole text occurred before
  const uint32_t whole = add_state(states_[last].length + 1, kRoot);
  uint32_t from = last;
  for (; from != kNone && (edge = slot(from, token)) == kNone; from = states_[from].link)
    add_edge(from, token, whole);
  if (edge != kNone) {
    const uint32_t link = known(from, edge);
    states_[whole].link = link;
  }
  return whole;
}

// The edge's state has longer pieces than those that end here now: the shorter get a state of their own.
uint32_t RepeatIndex::split(uint32_t from, uint32_t edge) {
  const int32_t token = edges_[edge].token;
  const uint32_t longer = edges_[edge].to;
  const uint32_t shorter = add_state(states_[from].length + 1, states_[longer].link);
  states_[shorter].text = states_[longer].text;
  states_[shorter].next = states_[longer].next;
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

uint32_t RepeatIndex::add_state(uint32_t length, uint32_t link) {
  states_.push_back({.length = length, .link = link, .edges = kNone, .text = 0, .next = 0});
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

void RepeatIndex::forget_half() {
  const size_t most = most_tokens_ / 2;
  for (auto& [id, text] : texts_) {
    if (text.ended) cut(text, size_ - std::min(size_, most));
  }
  // What is left are texts in the making, of which the beginnings go.
  const size_t left = size_;
  for (auto& [id, text] : texts_) {
    if (text.held && left > most) cut(text, (text.tokens.size() + 1) / 2);
  }
  std::erase_if(texts_, [](const auto& t) { return t.second.ended && t.second.tokens.empty(); });
  clear();
  for (auto& [id, text] : texts_) {
    if (!text.held) continue;
    text.last = kRoot;
    for (const int32_t token : std::exchange(text.tokens, {})) add(id, text, token);
  }
  // What these were pieces of may be gone.
  for (auto& [id, text] : texts_) {
    if (!text.held) hold(id, text);
  }
}

void RepeatIndex::cut(Text& text, size_t tokens) {
  tokens = std::min(tokens, text.tokens.size());
  text.tokens.erase(text.tokens.begin(), text.tokens.begin() + static_cast<ptrdiff_t>(tokens));
  size_ -= tokens;
}

}  // namespace lmc
