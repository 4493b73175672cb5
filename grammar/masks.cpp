#include "grammar/masks.h"

#include <algorithm>
#include <utility>

namespace lmc::grammar {
namespace {

constexpr int64_t kFew = 1024;

}  // namespace

Masks::Masks(const Machine& machine, std::shared_ptr<const Vocabulary> vocabulary)
    : states_(machine), vocabulary_(std::move(vocabulary)), found_(vocabulary_->size()) {
  for (size_t kind = 0; kind < kKinds; ++kind) {
    for (const PlainStep& step : plain_steps(kind)) {
      bool seen[256] = {};
      for (int b = step.first; b <= step.last; ++b) {
        if (!std::exchange(seen[machine.classes.of[b]], true))
          plain_bytes_[kind].push_back({step.from, static_cast<uint8_t>(b), step.to});
      }
    }
  }
  path_.resize(vocabulary_->all().depth + 1);
}

std::shared_ptr<const Mask> Masks::of(StateId state) {
  states_.budget = States::kBudget;
  state = states_.within(state, vocabulary_->longest());
  if (state >= masks_.size()) masks_.resize(states_.size());
  if (!masks_[state]) {
    std::shared_ptr<const Mask> mask = compute(state);
    masks_.resize(states_.size());
    mask_bytes_ +=
        static_cast<int64_t>(mask->few.size() * sizeof(int32_t) + (mask->many ? vocabulary_->size() / 8 : 0));
    masks_[state] = std::move(mask);
  }
  return masks_[state];
}

std::shared_ptr<const Mask> Masks::compute(StateId state) {
  found_.clear();
  uint32_t taken[kKinds] = {};
  for (size_t kind = kKinds; kind-- > 0;) {
    // What takes any characters takes any of fewer.
    for (size_t o = kind + 1; o < kKinds; ++o) {
      if (kind_within(kind, o)) taken[kind] = std::max(taken[kind], taken[o]);
    }
    taken[kind] = chars_taken(kind, taken[kind], state);
  }
  if (std::all_of(std::begin(taken), std::end(taken), [](uint32_t n) { return n == 0; })) {
    walk(vocabulary_->all(), state);
  } else {
    for (size_t kind = 0; kind < kKinds; ++kind) add_kind(vocabulary_->kinds()[kind], taken[kind], state);
    walk(vocabulary_->others(), state);
  }
  if (states_.may_end(state)) {
    for (const int32_t id : vocabulary_->ends()) found_.add(id);
  }
  auto out = std::make_shared<Mask>();
  out->count = found_.size();
  if (out->count <= kFew) {
    out->few = found_.ids();
  } else {
    out->many = std::make_shared<const IdSet>(found_);
  }
  return out;
}

// Tokens of one kind, where the state takes any so many of its characters.
void Masks::add_kind(const Vocabulary::OfKind& kind, uint32_t taken, StateId state) {
  const Vocabulary::Plain* whole = nullptr;  // without a look
  for (const auto& p : kind.by_chars) {
    if (p.most_chars <= taken) whole = &p;
  }
  if (!whole) return walk(kind.all, state);
  found_.add(whole->ids);
  for (const auto& p : kind.by_chars) {
    if (p.most_chars > taken) walk(p.trie, state);
  }
}

void Masks::walk(const Trie& trie, StateId state) {
  path_[0] = state;
  const std::vector<Trie::Node>& nodes = trie.nodes;
  for (size_t i = 1; i < nodes.size();) {
    const Trie::Node n = nodes[i];
    const StateId to = states_.next(path_[n.depth - 1U], n.byte);
    if (to == States::kDead) {
      i = n.past;
      continue;
    }
    path_[n.depth] = to;
    if (n.ends) {
      // Those below begin where its first child's do.
      for (uint32_t k = trie.first[i]; k < (n.past > i + 1 ? trie.first[i + 1] : trie.first[n.past]); ++k)
        found_.add(trie.ids[k]);
    }
    ++i;
  }
}

// How many characters of the kind, whichever they are, the state takes; as many as any token has, if it never
// ends. It is known to be `least` or more.
uint32_t Masks::chars_taken(size_t kind, uint32_t least, StateId state) {
  constexpr size_t kMostStates = 64;
  const std::vector<Vocabulary::Plain>& groups = vocabulary_->kinds()[kind].by_chars;
  const uint32_t most = groups.empty() ? 0 : groups.back().most_chars;
  if (least >= most) return least;
  std::vector<StateId> seen = {state};
  std::vector<StateId> level = {state};  // between characters
  std::vector<std::pair<uint8_t, StateId>> todo;
  for (uint32_t chars = 0; chars < most; ++chars) {
    todo.clear();
    for (const StateId s : level) todo.emplace_back(0, s);
    std::vector<StateId> next;
    for (size_t i = 0; i < todo.size(); ++i) {
      const auto [at, s] = todo[i];
      for (const Byte& b : plain_bytes_[kind]) {
        if (b.from != at) continue;
        const StateId to = states_.next(s, b.byte);
        if (to == States::kDead) return chars;
        if (b.to == 0) {
          if (std::find(next.begin(), next.end(), to) == next.end()) next.push_back(to);
        } else if (std::find(todo.begin(), todo.end(), std::pair(b.to, to)) == todo.end()) {
          todo.emplace_back(b.to, to);
        }
      }
    }
    // What was passed already need not be passed again: it took more characters than this.
    level.clear();
    for (const StateId s : next) {
      if (std::find(seen.begin(), seen.end(), s) != seen.end()) continue;
      seen.push_back(s);
      level.push_back(s);
    }
    if (level.empty()) return most;
    if (level.size() > kMostStates) return chars + 1;
  }
  return most;
}

}  // namespace lmc::grammar
