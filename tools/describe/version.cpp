#include "tools/describe/version.h"

#include <fmt/format.h>

#include "codegen/codegen.h"
#include "codegen/target.h"
#include "tools/bundle/bundle_format.h"
#include "tools/commit.h"

namespace lmc {

std::string version_text() {
  const std::vector<const Target*> targets = targets_here();
  return fmt::format("lmc {}\nLLVM {}\ntarget {}\ncommit {}", kLmcVersion, llvm_version(),
                     targets.empty() ? "none: this CPU runs no code that lmc makes" : targets.front()->name(),
                     LMC_COMMIT);
}

}  // namespace lmc
