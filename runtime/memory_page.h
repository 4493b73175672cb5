// The pages that memory comes in.
#pragma once

#include <cstdint>

#include "ir/round_up.h"

namespace lmc {

constexpr int64_t kMemoryPage = 4096;  // bytes, on every x86-64

constexpr int64_t whole_pages(int64_t bytes) { return round_up(bytes, kMemoryPage); }

}  // namespace lmc
