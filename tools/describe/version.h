// What --version prints.
#pragma once

#include <string>

namespace lmc {

std::string version_text();  // a line each: lmc, LLVM, the target that "native" is here, the commit

}  // namespace lmc
