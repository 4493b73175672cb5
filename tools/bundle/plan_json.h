// plan.json: ir/plan.h as JSON, both ways.
#pragma once

#include <string>

#include "ir/plan.h"

namespace lmc {

std::string plan_to_json(const Plan& plan);
// Throws Error naming `file` and the field that is missing or out of range. Every index in the result is
// valid.
Plan plan_from_json(const std::string& text, const std::string& file);

}  // namespace lmc
