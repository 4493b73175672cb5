// The audit as one JSON object; also what the page draws.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/measure/profile/audit.h"

namespace lmc {

// Six significant digits; times in ms and us as the names say.
nlohmann::ordered_json report_json(const Audit& audit, const Recorder& recorder);

// As text. Bytes that are not UTF-8, as a path may hold, are replaced.
std::string dumped(const nlohmann::ordered_json& json);

// A number with six significant digits: times are not known better, and 17 digits are hard to read.
double rounded(double value);

}  // namespace lmc
