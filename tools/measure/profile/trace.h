// The recorded tiles in the trace event format of Chrome and Perfetto.
#pragma once

#include <string>

#include "tools/measure/profile/recorder.h"

namespace lmc {

// One row of steps and one row per worker; the steps whose tiles were kept.
std::string trace_json(const Recorder& recorder);

}  // namespace lmc
