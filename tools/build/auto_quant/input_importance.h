// How much each input of a projection matters, and for packing its weights.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/layout.h"

namespace lmc {

// By tensor of the checkpoint that is a projection's weight: of its inputs; how much each matters is relative
// to the mean of all.
using InputImportance = std::map<std::string, InputStatistics>;

// For packing what was compiled of the same model, for one rank.
ColumnImportance column_importance(const InputImportance& inputs, const CodegenResult& code);

}  // namespace lmc
