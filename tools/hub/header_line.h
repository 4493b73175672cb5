// The head of an answer, as it comes.
#pragma once

#include <string_view>

#include "tools/hub/http.h"

namespace lmc {

// One line into the answer's headers; a status line begins anew.
void read_header_line(HttpResponse& answer, std::string_view line);

}  // namespace lmc
