#include "grammar/states.h"

#include <algorithm>

#include "runtime/constraint.h"

namespace lmc::grammar {
namespace {

uint64_t mixed(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15U;
  return h ^ (h >> 29);
}

constexpr size_t kStepsOfNew = 64;  // what is met first takes as long, and memory

uint64_t pair_of(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

int32_t one_less(int32_t turns) { return turns > 0 ? turns - 1 : turns; }  // unbounded stays so

}  // namespace

States::States(const Machine& machine)
    : machine_(machine),
      classes_(static_cast<size_t>(machine.classes.count)),
      reached_(machine.automaton.states.size()) {
  stacks_.push_back({});
  state_of({}, false);
  std::fill(next_.begin(), next_.end(), kDead);
  const StackId bottom = push({kBottom, 0, 0, 0});
  begin_reading();
  go(machine.starts[0], bottom);
  read();
  start_ = finish();
}

StateId States::compute(StateId state, uint8_t byte) {
  const State s = states_[state];
  const size_t place = size_t{state} * classes_ + machine_.classes.of[byte];
  if (const auto one = step(s, byte)) return next_[place] = *one;
  begin_reading();
  for (uint32_t i = s.begin; i < s.begin + s.count; ++i) {
    const Item item = items_[i];
    for (const auto& e : machine_.automaton.states[item.at].edges) {
      if (e.bytes.contains(byte)) go(e.to, item.stack);
    }
  }
  pay(s.count);
  read();
  const StateId out = finish();
  return next_[place] = out;
}

// The next state where there is one way at most, and it neither calls nor returns: most bytes are of that
// kind.
std::optional<StateId> States::step(const State& s, uint8_t byte) {
  if (s.count != 1) return std::nullopt;
  const Item item = items_[s.begin];
  const Automaton::Edge* way = nullptr;
  for (const auto& e : machine_.automaton.states[item.at].edges) {
    if (!e.bytes.contains(byte)) continue;
    if (way) return std::nullopt;
    way = &e;
  }
  pay(1);
  if (!way) return kDead;
  const Automaton::State& to = machine_.automaton.states[way->to];
  if (!to.empty.empty() || !to.calls.empty()) return std::nullopt;
  const Stack& stack = stacks_[item.stack];
  if (to.final && (stack.count != 1 || frames_[stack.begin].to != kBottom)) return std::nullopt;
  const Item next{way->to, item.stack};
  return state_of({&next, to.edges.empty() ? size_t{0} : size_t{1}}, to.final);
}

void States::begin_reading() {
  for (const uint32_t at : touched_) reached_[at] = 0;  // of a reading that an Error ended
  touched_.clear();
  todo_.clear();
  may_end_ = false;
}

// Everything that is reached without a byte. What comes to a place a second time passes on only what is new.
void States::read() {
  while (!todo_.empty()) {
    const Item item = todo_.back();
    todo_.pop_back();
    pay(1);
    StackId& there = reached_[item.at];
    if (there == 0) touched_.push_back(item.at);
    const StackId all = there == 0 ? item.stack : joined(there, item.stack);
    if (all == there) continue;
    there = all;
    const Automaton::State& s = machine_.automaton.states[item.at];
    for (const uint32_t to : s.empty) go(to, item.stack);
    for (const auto& c : s.calls) call(c, item.stack);
    if (s.final) leave(item.stack);
  }
}

void States::call(const Automaton::Call& c, StackId stack) {
  const Symbol& symbol = machine_.symbols[c.symbol];
  // A call at the very end leaves nothing to come back to.
  const StackId back = machine_.only_end[c.to] ? stack : push({c.to, 0, 0, stack});
  if (!symbol.counted) return go(machine_.starts[symbol.unit], back);
  if (symbol.least == 0) go(c.to, stack);
  if (symbol.most != 0) turn(c.symbol, one_less(symbol.least), one_less(symbol.most), back);
}

void States::turn(uint32_t symbol, int32_t least, int32_t most, StackId below) {
  go(machine_.starts[machine_.symbols[symbol].unit], push({kTurn | symbol, least, most, below}));
}

void States::leave(StackId stack) {
  const Stack s = stacks_[stack];
  for (uint32_t i = s.begin; i < s.begin + s.count; ++i) {
    const Frame f = frames_[i];
    pay(1);
    if (f.to == kBottom) {
      may_end_ = true;
    } else if (f.to < kTurn) {
      go(f.to, f.below);
    } else {
      if (f.least == 0) go(0, f.below);
      if (f.most != 0) turn(f.to & ~kTurn, one_less(f.least), one_less(f.most), f.below);
    }
  }
}

StateId States::finish() {
  std::sort(touched_.begin(), touched_.end());
  std::vector<Item> items;
  for (const uint32_t at : touched_) {
    if (!machine_.automaton.states[at].edges.empty()) items.push_back({at, reached_[at]});
    reached_[at] = 0;
  }
  touched_.clear();
  return state_of(items, may_end_);
}

StateId States::state_of(std::span<const Item> items, bool may_end) {
  uint64_t hash = may_end ? 1 : 0;
  for (const Item& i : items) hash = mixed(hash, pair_of(i.at, i.stack));
  const auto [first, last] = state_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const State& s = states_[it->second];
    if (s.may_end == may_end && s.count == items.size() &&
        std::equal(items.begin(), items.end(), items_.begin() + s.begin))
      return it->second;
  }
  const auto id = static_cast<StateId>(states_.size());
  pay(kStepsOfNew + classes_ + items.size());
  states_.push_back({static_cast<uint32_t>(items_.size()), static_cast<uint32_t>(items.size()), may_end});
  items_.insert(items_.end(), items.begin(), items.end());
  next_.resize(next_.size() + classes_, kUnknown);
  state_ids_.emplace(hash, id);
  return id;
}

States::StackId States::push(const Frame& frame) {
  if (frame.to != kBottom && stacks_[frame.below].depth >= kMostDepth) return 0;
  return stack_of({frame});
}

// Frames are sorted, and no two are alike in all but what is below.
States::StackId States::stack_of(std::vector<Frame> frames) {
  uint64_t hash = 0;
  uint32_t depth = 0;
  for (const Frame& f : frames) {
    hash = mixed(mixed(hash, pair_of(f.to, f.below)),
                 pair_of(static_cast<uint32_t>(f.least), static_cast<uint32_t>(f.most)));
    depth = std::max(depth, 1 + stacks_[f.below].depth);
  }
  const auto [first, last] = stack_ids_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Stack& s = stacks_[it->second];
    if (s.count == frames.size() && std::equal(frames.begin(), frames.end(), frames_.begin() + s.begin))
      return it->second;
  }
  const auto id = static_cast<StackId>(stacks_.size());
  pay(kStepsOfNew + frames.size());
  stacks_.push_back({static_cast<uint32_t>(frames_.size()), static_cast<uint32_t>(frames.size()), depth});
  frames_.insert(frames_.end(), frames.begin(), frames.end());
  stack_ids_.emplace(hash, id);
  return id;
}

// As deep as stacks are, kMostDepth.
States::StackId States::joined(StackId a, StackId b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  if (const auto known = joined_.find(pair_of(a, b)); known != joined_.end()) return known->second;
  const auto key = [](const Frame& f) { return std::tuple(f.to, f.least, f.most); };
  std::vector<Frame> out;
  uint32_t i = stacks_[a].begin, j = stacks_[b].begin;
  const uint32_t i_end = i + stacks_[a].count, j_end = j + stacks_[b].count;
  while (i < i_end || j < j_end) {
    pay(1);
    if (j == j_end || (i < i_end && key(frames_[i]) < key(frames_[j]))) {
      out.push_back(frames_[i++]);
    } else if (i == i_end || key(frames_[j]) < key(frames_[i])) {
      out.push_back(frames_[j++]);
    } else {
      Frame both = frames_[i];
      both.below = joined(frames_[i++].below, frames_[j++].below);
      out.push_back(both);
    }
  }
  const StackId id = stack_of(std::move(out));
  joined_.emplace(pair_of(a, b), id);
  return id;
}

StateId States::within(StateId state, int32_t bytes) {
  if (!machine_.counts) return state;
  const uint64_t key = pair_of(static_cast<uint32_t>(bytes), state);
  if (const auto known = within_.find(key); known != within_.end()) return known->second;
  const State s = states_[state];
  std::vector<Item> items(items_.begin() + s.begin, items_.begin() + s.begin + s.count);
  for (Item& i : items) i.stack = within_stack(i.stack, bytes);
  const StateId out = state_of(items, s.may_end);
  within_.emplace(key, out);
  return out;
}

States::StackId States::within_stack(StackId stack, int32_t bytes) {
  const uint64_t key = pair_of(static_cast<uint32_t>(bytes), stack);
  if (const auto known = within_stack_.find(key); known != within_stack_.end()) return known->second;
  const Stack s = stacks_[stack];
  StackId out = 0;
  for (uint32_t i = s.begin; i < s.begin + s.count; ++i) {
    Frame f = frames_[i];
    f.least = std::min(f.least, bytes + 1);
    f.most = std::min(f.most, bytes + 1);
    if (f.to != kBottom) f.below = within_stack(f.below, bytes);
    const StackId one = stack_of({f});
    out = out == 0 ? one : joined(out, one);
  }
  within_stack_.emplace(key, out);
  return out;
}

StateId States::copy(const States& from, StateId state) {
  std::unordered_map<StackId, StackId> done;
  const State s = from.states_[state];
  std::vector<Item> items(from.items_.begin() + s.begin, from.items_.begin() + s.begin + s.count);
  for (Item& i : items) i.stack = copy_stack(from, i.stack, done);
  return state_of(items, s.may_end);
}

States::StackId States::copy_stack(const States& from, StackId stack,
                                   std::unordered_map<StackId, StackId>& done) {
  if (const auto known = done.find(stack); known != done.end()) return known->second;
  const Stack s = from.stacks_[stack];
  std::vector<Frame> frames(from.frames_.begin() + s.begin, from.frames_.begin() + s.begin + s.count);
  for (Frame& f : frames) {
    if (f.to != kBottom) f.below = copy_stack(from, f.below, done);
  }
  const StackId out = stack_of(std::move(frames));
  done.emplace(stack, out);
  return out;
}

int64_t States::bytes() const {
  constexpr size_t kOfHashEntry = 40;
  const size_t hashed =
      state_ids_.size() + stack_ids_.size() + joined_.size() + within_.size() + within_stack_.size();
  return static_cast<int64_t>(next_.size() * sizeof(StateId) + states_.size() * sizeof(State) +
                              items_.size() * sizeof(Item) + stacks_.size() * sizeof(Stack) +
                              frames_.size() * sizeof(Frame) + hashed * kOfHashEntry);
}

void States::pay(size_t work) {
  if (work > budget) {
    budget = 0;
    throw ConstraintError("the grammar is too ambiguous: reading on takes more steps than a text may");
  }
  budget -= work;
}

}  // namespace lmc::grammar
