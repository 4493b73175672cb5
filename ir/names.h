// What the user probably meant: the known name nearest to one that is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmc {

// The known name at most two edits away from `name` (one if it is short), the nearest of several; "" if there
// is none.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// "; did you mean gelu_tanh?" or, if nothing is near, `otherwise`.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known,
                         const std::string& otherwise = "");

}  // namespace lmc
