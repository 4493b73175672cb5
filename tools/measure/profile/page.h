// The audit as one page: pictures and tables, nothing loaded from elsewhere.
#pragma once

#include <string>

#include "tools/measure/profile/audit.h"

namespace lmc {

std::string profile_page(const Audit& audit, const Recorder& recorder);

}  // namespace lmc
