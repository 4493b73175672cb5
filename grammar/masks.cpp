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
  path_.resize(vocabulary_->depth() + 1);
}

int64_t Masks::bytes() const {
  constexpr size_t kOfFar = 160;  // mostly of a state or two
  size_t kept = taken_.size() * sizeof(Taken);
  for (size_t kind = 0; kind < kKinds; ++kind)
    kept += far_[kind].size() * kOfFar + least_taken_[kind].size() * sizeof(uint32_t);
  return states_.bytes() + mask_bytes_ + static_cast<int64_t>(kept);
}

std::shared_ptr<const Mask> Masks::of(StateId state) {
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
  for (const Vocabulary::Slice& slice : vocabulary_->slices()) {
    StateId before = state;
    std::optional<StateId> behind = state;
    for (const std::string& bytes : slice.lead) behind = behind_each(bytes, before = *behind);
    if (!behind)
      walk(slice.with_last, before);
    else if (*behind != States::kDead)
      add(slice, *behind);
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

// The state behind each of these bytes; nothing if it is not the same for all.
std::optional<StateId> Masks::behind_each(std::string_view bytes, StateId state) {
  if (state == States::kDead) return state;
  const StateId first = states_.next(state, static_cast<uint8_t>(bytes[0]));
  for (const char b : bytes.substr(1)) {
    if (states_.next(state, static_cast<uint8_t>(b)) != first) return std::nullopt;
  }
  return first;
}

void Masks::add(const Vocabulary::Slice& slice, StateId state) {
  const Taken taken = taken_by(state);
  size_t whole = 0;  // kinds that are taken without a look
  while (whole < kKinds && taken.chars[whole] > 0 && taken.chars[whole] >= vocabulary_->most_chars(whole))
    ++whole;
  if (whole > 0) found_.add(slice.up_to[whole - 1]);
  const bool strings = taken.behind_string != States::kDead;
  for (const Vocabulary::Group& group : slice.groups) {
    if (group.kind >= whole && !(strings && group.kind > kStringKind)) add(group, taken, state);
  }
  if (!strings) return;
  walk(slice.behind_string, taken.behind_string);
  walk(slice.no_string, state);
}

void Masks::add(const Vocabulary::Group& group, const Taken& taken, StateId state) {
  const Vocabulary::Plain* whole = nullptr;  // without a look
  for (const auto& p : group.by_chars) {
    if (p.most_chars <= taken.chars[group.kind]) whole = &p;
  }
  if (!whole) {
    const bool behind = group.words && taken.behind_word != States::kDead;
    return walk(behind ? group.behind_word : group.all, behind ? taken.behind_word : state);
  }
  found_.add(whole->ids);
  for (const auto& p : group.by_chars) {
    if (p.most_chars > taken.chars[group.kind]) walk(p.trie, state);
  }
}

Masks::Taken Masks::taken_by(StateId state) {
  if (state < taken_.size() && taken_[state].known) return taken_[state];
  Taken out;
  out.known = true;
  uint32_t least = 0;  // what takes any characters takes any of fewer
  for (size_t kind = kKinds; kind-- > 0;) {
    StateId behind = States::kDead;
    least = out.chars[kind] = chars_taken(kind, least, state, behind);
    if (kind == kWordKind) out.behind_word = behind;
    if (kind == kStringKind) out.behind_string = behind;
  }
  if (state >= taken_.size()) taken_.resize(states_.size());
  return taken_[state] = out;
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
// ends. It is known to be `least` or more. `behind`: the one state behind any number of them.
// What was passed on the way to there is kept: who counts characters walks over the same ones behind every
// token.
uint32_t Masks::chars_taken(size_t kind, uint32_t least, StateId state, StateId& behind) {
  constexpr size_t kMostInLevel = 64;
  const uint32_t most = vocabulary_->most_chars(kind);
  std::vector<uint32_t>& known = least_taken_[kind];
  if (state < known.size()) least = std::max(least, known[state]);
  if (least >= most) return most;
  std::vector<uint32_t> levels = {0};  // of `seen`
  std::vector<StateId> seen = {state};
  std::vector<StateId> level = {state};                           // between characters
  std::vector<std::pair<uint32_t, std::vector<StateId>>> passed;  // levels
  const auto was_seen = [&](StateId s) { return std::find(seen.begin(), seen.end(), s) != seen.end(); };
  const auto see = [&](StateId s, uint32_t at) {
    seen.push_back(s);
    levels.push_back(at);
  };
  StateId first = States::kDead;
  std::vector<std::pair<uint8_t, StateId>> todo;
  // Farther than is asked for: then those on the way are known to take as many.
  constexpr uint32_t kFarther = 8;
  uint32_t chars = 0;
  for (bool dead = false; chars < most + kFarther; ++chars) {
    if (chars > 1) {  // `behind` wants the first two
      std::sort(level.begin(), level.end());
      passed.emplace_back(chars, level);
      for (auto it = far_[kind].find(level); it != far_[kind].end() && chars < most + kFarther;
           it = far_[kind].find(level)) {
        chars += it->second.chars;
        level = it->second.level;
        if (std::all_of(level.begin(), level.end(), was_seen)) return most;
        for (const StateId s : level) see(s, chars);
      }
      if (chars >= most + kFarther) break;
    }
    todo.clear();
    for (const StateId s : level) todo.emplace_back(0, s);
    std::vector<StateId> next;
    for (size_t i = 0; i < todo.size() && !dead; ++i) {
      const auto [at, s] = todo[i];
      for (const Byte& b : plain_bytes_[kind]) {
        if (b.from != at) continue;
        const StateId to = states_.next(s, b.byte);
        dead |= to == States::kDead;
        if (dead) break;
        if (b.to == 0) {
          if (std::find(next.begin(), next.end(), to) == next.end()) next.push_back(to);
        } else if (std::find(todo.begin(), todo.end(), std::pair(b.to, to)) == todo.end()) {
          todo.emplace_back(b.to, to);
        }
      }
    }
    if (dead) break;
    if (chars == 0) first = next.size() == 1 ? next[0] : States::kDead;
    if (chars <= 1 && next.size() == 1 && next[0] == (chars == 0 ? state : first)) behind = first;
    // What was passed already need not be passed again: it took more characters than this.
    level.clear();
    for (const StateId s : next) {
      if (was_seen(s)) {
        passed.clear();  // what they lead to is more than is kept
        continue;
      }
      see(s, chars + 1);
      level.push_back(s);
    }
    if (level.empty()) return most;  // it never ends
    if (level.size() > kMostInLevel) {
      ++chars;
      break;
    }
  }
  for (auto& [at, states] : passed) {
    if (at < chars) far_[kind].insert_or_assign(std::move(states), Far{chars - at, level});
  }
  known.resize(std::max(known.size(), states_.size()));
  for (size_t i = 0; i < seen.size(); ++i) known[seen[i]] = std::max(known[seen[i]], chars - levels[i]);
  return std::min(chars, most);
}

}  // namespace lmc::grammar
