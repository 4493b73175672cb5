// Numbers as they are written: exact decimals, and the texts of those within bounds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/automaton.h"

namespace lmc::grammar {

// A decimal without an exponent: 0 is not negative, `fraction` has no zeros at its end.
struct Decimal {
  bool negative = false;
  std::string integer = "0", fraction;

  // Of JSON's form, with an exponent or without. Nothing if it takes more than 400 digits.
  static std::optional<Decimal> of(std::string_view text);
  bool is_integer() const { return fraction.empty(); }
  bool operator==(const Decimal&) const = default;
};
int compare(const Decimal& a, const Decimal& b);  // < 0, 0, > 0

struct Bound {
  Decimal at;
  bool open = false;  // it is not itself within
};
struct NumberRange {
  std::optional<Bound> least, most;
  std::vector<Decimal> multiples_of, no_multiples_of;  // of each, of none; above 0

  void raise(const Bound& b);  // the tighter one counts
  void lower(const Bound& b);
  void meet(const NumberRange& other);
  bool contains(const Decimal& d) const;
  bool is_all() const { return !least && !most && multiples_of.empty() && no_multiples_of.empty(); }
};
bool is_multiple(const Decimal& d, const Decimal& of);

// The texts of those of a range that are integers (without a point, unless fractions are asked for too), that
// are none, or both. They have no exponent and 15 digits at most, or those of the bounds and one more: a
// double holds so many, and is on the same side of the bounds. Nothing if it takes more than 60,000 states.
std::optional<Automaton> numbers_within(const NumberRange& range, bool integers, bool fractions);

}  // namespace lmc::grammar
