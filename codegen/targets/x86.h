// What the targets of x86-64 have in common.
#pragma once

namespace lmc {

inline constexpr const char* kX86Triple = "x86_64-unknown-linux-gnu";

}  // namespace lmc
