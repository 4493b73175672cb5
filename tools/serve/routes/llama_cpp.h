// What the routes of llama.cpp's server share.
#pragma once

#include "tools/serve/answering.h"

namespace lmc::serve {

Fields llama_cpp_sampling();
Asked llama_cpp_defaults();
// The settings of an answer, as clients show them.
Json settings_of(const Asked& asked);
Json timings_of(const Choice& choice);

}  // namespace lmc::serve
