// Conditions of a pass as text: `dtype(%wq) == dtype(%wk) and not output(%a)`.
#pragma once

#include <string>

#include "passes/pattern/datum.h"

namespace lmc {

class Condition {
 public:
  // Throws Error at the place of a mistake. `at` is where the text begins.
  Condition(const std::string& text, const Location& at);
  void check(const KnownNames& known) const;  // Error for names it cannot know

  // If it does not hold, `why` says which comparison failed and on what: "dtype(%wk) is q8_0".
  bool holds(const BoundNames& b, std::string* why = nullptr) const;

 private:
  syntax::Expr expr_;
};

}  // namespace lmc
