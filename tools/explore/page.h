// The pipeline as one page: nothing loaded from elsewhere.
#pragma once

#include <optional>
#include <string>

#include "tools/explore/price.h"
#include "tools/explore/record.h"

namespace lmc {

nlohmann::ordered_json explore_json(const PipelineRecord& record, const std::optional<Measured>& measured);
std::string explore_page(const PipelineRecord& record, const std::optional<Measured>& measured);

}  // namespace lmc
