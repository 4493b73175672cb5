// The pipeline as one page: nothing loaded from elsewhere.
#pragma once

#include <optional>
#include <string>

#include "tools/graphs/explore/price.h"
#include "tools/graphs/explore/record.h"

namespace lmc {

// Costs are predicted for `machine`: with a profile, for the one that it was measured on.
nlohmann::ordered_json explore_json(const PipelineRecord& record, const std::optional<Measured>& measured,
                                    const MachineFigures& machine);
std::string explore_page(const PipelineRecord& record, const std::optional<Measured>& measured,
                         const MachineFigures& machine);

}  // namespace lmc
