// Finite automata over bytes, which may call one another by symbols.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/byte_set.h"

namespace lmc::grammar {

// Of all automata that a grammar takes: until it is compiled, each costs up to a kilobyte.
inline constexpr size_t kMostStates = size_t{1} << 18;

struct Automaton {
  struct Edge {
    ByteSet bytes;
    uint32_t to = 0;
  };
  struct Call {
    uint32_t symbol = 0, to = 0;
  };
  struct State {
    std::vector<Edge> edges = {};
    std::vector<Call> calls = {};
    std::vector<uint32_t> empty = {};  // reached without a byte
    bool final = false;
  };

  uint32_t add_state() {
    states.emplace_back();
    return static_cast<uint32_t>(states.size() - 1);
  }

  std::vector<State> states;  // the first is where it begins
};

// For every byte its class: bytes of one class are in the same sets.
struct ByteClasses {
  uint8_t of[256] = {};
  int count = 0;
};
ByteClasses byte_classes(const std::set<ByteSet>& sets);
std::set<ByteSet> sets_of(const Automaton& a);  // of its edges

// The same language: from each state at most one way for a byte and one for a symbol, none that is empty,
// no state that leads nowhere. Nothing if that takes more than `most` states or too much work.
std::optional<Automaton> deterministic(Automaton a, size_t most);
// The same in place; false, and nothing changed, where it takes too much.
bool make_deterministic(Automaton& a, size_t most);
// Of deterministic ones without calls. The product has at most `most` states; else nothing.
std::optional<Automaton> intersection(const Automaton& a, const Automaton& b, size_t most);
// All byte strings that it does not accept.
Automaton complement(const Automaton& a);
// Of a deterministic one: the fewest states.
Automaton minimal(const Automaton& a);
// Does it accept nothing? Of one without states that lead nowhere.
bool accepts_nothing(const Automaton& a);
// Of a deterministic one without calls.
bool accepts(const Automaton& a, std::string_view text);
Automaton automaton_of_texts(const std::vector<std::string>& texts);  // deterministic

}  // namespace lmc::grammar
