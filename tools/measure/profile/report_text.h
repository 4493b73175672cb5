// The audit as plain text tables.
#pragma once

#include <string>

#include "tools/measure/profile/audit.h"

namespace lmc {

std::string report_text(const Audit& audit, const Recorder& recorder);

}  // namespace lmc
