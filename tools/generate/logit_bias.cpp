#include "tools/generate/logit_bias.h"

#include <charconv>
#include <cmath>

#include "tools/cli/console.h"

namespace lmc {

std::pair<int32_t, double> parse_logit_bias(const std::string& text) {
  const char* const end = text.data() + text.size();
  int32_t id = 0;
  double bias = 0;
  const auto after_id = std::from_chars(text.data(), end, id);
  bool ok = after_id.ec == std::errc() && after_id.ptr != end && *after_id.ptr == '=';
  if (ok) {
    const auto after = std::from_chars(after_id.ptr + 1, end, bias);
    ok = after.ec == std::errc() && after.ptr == end && !std::isnan(bias) && bias < HUGE_VAL;
  }
  if (!ok) {
    throw UsageError("--logit-bias must be ID=BIAS with a number or -inf, such as 15=-2.5; found '" + text +
                     "'");
  }
  return {id, bias};
}

}  // namespace lmc
