// Passes as text files (.lmpass): the same pass as one written with LMC_FUSION, with no compiler needed.
// passes/README.md describes the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "passes/pattern/fusion.h"

namespace lmc {

// The passes of a file, one or more. Throws Error with file:line:column for any mistake, in patterns,
// conditions and replacements too.
std::vector<FusionSpec> parse_lmpass(std::string_view text, const std::string& file);

// The pass in that form. Guards written in C++ show as their reason alone.
std::string lmpass_text(const FusionSpec& spec);

// Reads the files and registers their passes. Error also for a pass that is there already, for two of one
// name, and for an order that speaks of passes there are not.
void load_pass_files(const std::vector<std::string>& files);

}  // namespace lmc
