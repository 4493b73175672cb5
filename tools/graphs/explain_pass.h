// All there is to say about one pass, from the pass itself.
#pragma once

#include <string>

#include "ir/pass.h"

namespace lmc {

std::string explain_pass(const Pass& pass);

}  // namespace lmc
