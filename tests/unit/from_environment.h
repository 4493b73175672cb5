// Numbers that a longer run of a test is given: LMC_PROPERTY_ROUNDS=1000.
#pragma once

#include <cstdlib>

namespace lmc {

inline unsigned from_environment(const char* name, unsigned fallback) {
  const char* const text = std::getenv(name);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : fallback;
}

}  // namespace lmc
