// Scripts that make a shell complete lmc's commands, options and values.
#pragma once

#include <string>

#include "tools/describe/description.h"

namespace lmc {

std::string bash_completion(const ProgramDescription& p);
std::string zsh_completion(const ProgramDescription& p);
std::string fish_completion(const ProgramDescription& p);

}  // namespace lmc
