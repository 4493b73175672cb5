// The manual page lmc(1).
#pragma once

#include <string>

#include "tools/describe/description.h"

namespace lmc {

std::string manual_page(const ProgramDescription& p);  // in roff, as man(7) has it

}  // namespace lmc
