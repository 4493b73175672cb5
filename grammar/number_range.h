// Numbers as they are written: exact decimals, and the texts of those within bounds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "grammar/grammar.h"

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

  void raise(const Bound& b);  // the tighter one counts
  void lower(const Bound& b);
  bool contains(const Decimal& d) const;
  bool empty() const;  // for sure; an open range between two integers is not empty of numbers
  bool bounded() const { return least || most; }
};

// Integers, and all numbers (without an exponent), of a range; 16 digits, or those of the bounds if more.
ExprId integers_within(Grammar& g, const NumberRange& range);
ExprId numbers_within(Grammar& g, const NumberRange& range);

}  // namespace lmc::grammar
