#include "grammar/masks.h"

#include <algorithm>
#include <set>
#include <utility>

namespace lmc::grammar {
namespace {

constexpr size_t kFew = 1024;

}  // namespace

Masks::Masks(const Machine& machine, std::shared_ptr<const Vocabulary> vocabulary)
    : states_(machine), vocabulary_(std::move(vocabulary)) {
  for (const PlainStep& step : plain_steps()) {
    bool seen[256] = {};
    for (int b = step.first; b <= step.last; ++b) {
      if (!std::exchange(seen[machine.classes.of[b]], true))
        plain_bytes_.push_back({step.from, static_cast<uint8_t>(b), step.to});
    }
  }
  uint32_t depth = vocabulary_->others().depth;
  for (const auto& p : vocabulary_->plain()) depth = std::max(depth, p.trie.depth);
  path_.resize(depth + 1);
}

std::shared_ptr<const Mask> Masks::of(StateId state) {
  states_.budget = States::kBudget;
  state = states_.within(state, vocabulary_->longest());
  if (state >= masks_.size()) masks_.resize(states_.size());
  if (!masks_[state]) {
    std::shared_ptr<const Mask> mask = compute(state);
    masks_.resize(states_.size());
    mask_bytes_ += static_cast<int64_t>(mask->few.size() * sizeof(int32_t) + (mask->many ? vocabulary_->size() / 8 : 0));
    masks_[state] = std::move(mask);
  }
  return masks_[state];
}

std::shared_ptr<const Mask> Masks::compute(StateId state) {
  auto out = std::make_shared<Mask>();
  std::vector<int32_t>& ids = out->few;
  const uint32_t chars = plain_chars_taken(state);
  const Vocabulary::Plain* whole = nullptr;  // taken without a look
  for (const auto& p : vocabulary_->plain()) {
    if (p.most_chars <= chars) whole = &p;
    else walk(p.trie, state, ids);
  }
  walk(vocabulary_->others(), state, ids);
  if (states_.may_end(state)) ids.insert(ids.end(), vocabulary_->ends().begin(), vocabulary_->ends().end());
  if (!whole && ids.size() <= kFew) {
    std::sort(ids.begin(), ids.end());
    out->count = static_cast<int64_t>(ids.size());
    ids.shrink_to_fit();
    return out;
  }
  auto many = std::make_shared<IdSet>(whole ? whole->ids : IdSet(vocabulary_->size()));
  for (const int32_t id : ids) many->add(id, id);
  ids = {};
  out->count = many->size();
  out->many = std::move(many);
  return out;
}

void Masks::walk(const Trie& trie, StateId state, std::vector<int32_t>& out) {
  path_[0] = state;
  const std::vector<Trie::Node>& nodes = trie.nodes;
  for (size_t i = 1; i < nodes.size();) {
    const Trie::Node& n = nodes[i];
    const StateId to = states_.next(path_[n.depth - 1U], n.byte);
    if (to == States::kDead) {
      i = n.past;
      continue;
    }
    path_[n.depth] = to;
    for (uint32_t k = n.first; k < n.first + n.own; ++k) out.push_back(trie.ids[k]);
    ++i;
  }
}

// How many plain characters, whichever they are, the state takes; as many as any token has, if it never ends.
uint32_t Masks::plain_chars_taken(StateId state) {
  constexpr size_t kMostStates = 64;
  const uint32_t most = vocabulary_->plain().empty() ? 0 : vocabulary_->plain().back().most_chars;
  std::set<StateId> seen = {state};
  std::vector<StateId> level = {state};  // between characters
  for (uint32_t chars = 0; chars < most; ++chars) {
    std::set<std::pair<uint8_t, StateId>> known;
    std::vector<std::pair<uint8_t, StateId>> todo;
    for (const StateId s : level) todo.emplace_back(0, s);
    std::set<StateId> next;
    while (!todo.empty()) {
      const auto [at, s] = todo.back();
      todo.pop_back();
      for (const Byte& b : plain_bytes_) {
        if (b.from != at) continue;
        const StateId to = states_.next(s, b.byte);
        if (to == States::kDead) return chars;
        if (b.to == 0) next.insert(to);
        else if (known.emplace(b.to, to).second) todo.emplace_back(b.to, to);
      }
    }
    // What was passed already need not be passed again: it took more characters than this.
    level.clear();
    for (const StateId s : next) {
      if (seen.insert(s).second) level.push_back(s);
    }
    if (level.empty()) return most;
    if (level.size() > kMostStates) return chars + 1;
  }
  return most;
}

}  // namespace lmc::grammar
