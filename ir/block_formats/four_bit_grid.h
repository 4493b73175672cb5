// The 16 numbers that IQ4_NL and IQ4_XS choose from: finer around zero, where weights are (llama.cpp's
// kvalues_iq4nl).
#pragma once

#include <cstdint>

namespace lmc {

inline constexpr int8_t kFourBitGrid[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                            1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace lmc
