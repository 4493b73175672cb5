// A mapped file that another process cuts short: touching what is gone raises SIGBUS.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lmc {

// From now on what is missing of `bytes`, a mapping of `path`, reads as zeros and is remembered: the work
// goes on to the next check_mapped_files(), which refuses its result.
void guard_mapping(std::span<const std::byte> bytes, const std::string& path);
void unguard_mapping(std::span<const std::byte> bytes);

// Error naming a file that became shorter while it was in use. Asked before anything that was computed is
// printed or put in place; costs one load.
void check_mapped_files();

}  // namespace lmc
