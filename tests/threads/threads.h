// How many threads share what is tested.
#pragma once

namespace lmc {

inline constexpr int kThreads = 4;

}  // namespace lmc
