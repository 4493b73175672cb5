// `lmc eval --compare A B`: two bundles over one text, block by block.
#pragma once

#include <string>

#include "tools/generate/engine.h"
#include "tools/measure/logit_comparison.h"

namespace lmc {

// Error if the bundles do not have one vocabulary: as many tokens, the same ids for this text.
ComparedLogits compare_bundles(Engine& a, Engine& b, const std::string& text_file);

// As a table for people, or one JSON object.
std::string comparison_table(const ComparedLogits& c, const std::string& name_a, const std::string& name_b);
std::string comparison_json(const ComparedLogits& c, const std::string& name_a, const std::string& name_b);

}  // namespace lmc
