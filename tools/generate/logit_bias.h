// What --logit-bias says.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace lmc {

// "15=-2.5" or "15=-inf": a token and what is added to its logit. UsageError for anything else.
std::pair<int32_t, double> parse_logit_bias(const std::string& text);

}  // namespace lmc
