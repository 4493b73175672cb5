// Mistakes in a pattern's text that would otherwise show as a pass that never fires. Knows ops, not graphs.
#pragma once

#include <vector>

#include "ir/syntax.h"

namespace lmc {

// Throws Error at the statement that no op could ever match. `at` is where the text begins.
void check_pattern(const std::vector<syntax::Statement>& pattern, const Location& at);

}  // namespace lmc
