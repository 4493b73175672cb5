// Brings weights into memory before the first token needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "runtime/workers.h"

namespace lmc {

// Reads a byte of every page, shared out among the workers. `progress` gets bytes done and in all, one call
// at a time.
void touch_pages(std::span<const std::span<const std::byte>> memory, Workers& workers,
                 const std::function<void(int64_t done, int64_t total)>& progress);

}  // namespace lmc
