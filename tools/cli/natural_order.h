// Names as people sort them: layers.2 before layers.10.
#pragma once

#include <string_view>

namespace lmc {

// Digits count as the number they make; everything else byte by byte.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace lmc
