// Passes that leave no repro.lmir behind when they fail.
#pragma once

#include "passes/engine/manager.h"

namespace lmc {

inline PassOptions quiet() {
  PassOptions out;
  out.repro_path.clear();
  return out;
}

}  // namespace lmc
