// The states of a machine as they come up: each is all the ways in which a text so far can be read, numbered
// when first met and kept, so that a byte costs a look-up. Ways that differ only in what called them share
// what they have in common (a graph-structured stack in which equal stacks are one), so the ways of an
// ambiguous grammar do not multiply with the length of a text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar/machine.h"

namespace lmc::grammar {

using StateId = uint32_t;

class States {
 public:
  static constexpr StateId kDead = 0;  // no text begins so
  // Calls within calls; what goes deeper is not a text.
  static constexpr uint32_t kMostDepth = 1000;

  // The machine must outlive it.
  explicit States(const Machine& machine);

  StateId start() const { return start_; }
  // Error if the grammar is so ambiguous that it takes too much work.
  StateId next(StateId state, uint8_t byte) {
    const StateId known = next_[size_t{state} * classes_ + machine_.classes.of[byte]];
    return known != kUnknown ? known : compute(state, byte);
  }
  StateId next(StateId state, std::string_view bytes) {
    for (size_t i = 0; i < bytes.size() && state != kDead; ++i)
      state = next(state, static_cast<uint8_t>(bytes[i]));
    return state;
  }
  bool may_end(StateId state) const { return states_[state].may_end; }
  bool may_go_on(StateId state) const { return states_[state].count > 0; }
  // A state in which counts beyond `bytes` are `bytes` + 1: as many bytes mean the same to both.
  StateId within(StateId state, int32_t bytes);
  // The same state of another object for the same machine.
  StateId copy(const States& from, StateId state);

  size_t size() const { return states_.size(); }
  int64_t bytes() const;
  const Machine& machine() const { return machine_; }

 private:
  // Callers, and what called them. Number 0 is no stack: too deep.
  using StackId = uint32_t;
  struct Frame {
    uint32_t to = 0;  // state behind the call; or, from kTurn on, the symbol whose turns are counted
    int32_t least = 0, most = 0;  // turns still to come
    StackId below = 0;
    bool operator==(const Frame&) const = default;
  };
  struct Stack {
    uint32_t begin = 0, count = 0, depth = 0;
  };
  struct Item {
    uint32_t at = 0;  // state of the machine
    StackId stack = 0;
    bool operator==(const Item&) const = default;
  };
  struct State {
    uint32_t begin = 0, count = 0;
    bool may_end = false;
  };
  static constexpr StateId kUnknown = ~StateId{0};
  static constexpr uint32_t kTurn = uint32_t{1} << 31, kBottom = ~uint32_t{0};

  StateId compute(StateId state, uint8_t byte);
  std::optional<StateId> step(const State& s, uint8_t byte);
  void begin_reading();
  void read();
  void call(const Automaton::Call& c, StackId stack);
  void leave(StackId stack);
  void turn(uint32_t symbol, int32_t least, int32_t most, StackId below);
  void go(uint32_t at, StackId stack) {
    if (stack != 0) todo_.push_back({at, stack});
  }
  StateId finish();
  StackId push(const Frame& frame);
  StackId joined(StackId a, StackId b);
  StackId stack_of(std::vector<Frame> frames);
  StateId state_of(std::span<const Item> items, bool may_end);
  StackId within_stack(StackId stack, int32_t bytes);
  StackId copy_stack(const States& from, StackId stack, std::unordered_map<StackId, StackId>& done);
  void pay(size_t work);

  const Machine& machine_;
  const size_t classes_;
  std::vector<State> states_;
  std::vector<StateId> next_;  // by state and class of a byte
  std::vector<Item> items_;
  std::vector<Stack> stacks_;
  std::vector<Frame> frames_;
  std::unordered_multimap<uint64_t, StateId> state_ids_;  // by hash
  std::unordered_multimap<uint64_t, StackId> stack_ids_;
  std::unordered_map<uint64_t, StackId> joined_;  // by pair
  std::unordered_map<uint64_t, StackId> within_stack_;
  std::unordered_map<uint64_t, StateId> within_;
  StateId start_ = kDead;

  // Of the reading under way.
  std::vector<StackId> reached_;   // by state of the machine
  std::vector<uint32_t> touched_;  // of those, which
  std::vector<Item> todo_;
  bool may_end_ = false;

 public:
  // Steps left until Error; whoever reads on sets it.
  size_t budget = kBudget;
  static constexpr size_t kBudget = size_t{1} << 24;
};

}  // namespace lmc::grammar
