#include "tools/graphs/explore/page.h"

#include <algorithm>

#include "tools/graphs/explore/tables.h"
#include "tools/html/html_page.h"
#include "tools/measure/profile/report_json.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

Json measured_json(const Measured& m, const Json& labels) {
  Json kernels = Json::array();  // beside the labels; null where the profile has no such kernel
  size_t found = 0;
  for (const Json& label : labels) {
    const auto it = std::find_if(m.kernels.begin(), m.kernels.end(), [&](const MeasuredKernel& k) {
      return k.label == label.get<std::string>();
    });
    if (it == m.kernels.end()) {
      kernels.push_back(nullptr);
      continue;
    }
    ++found;
    kernels.push_back({{"us", it->us_per_call}, {"gb_s", it->gb_s}, {"peak", it->share_of_read_peak}});
  }
  return {{"about", m.about}, {"found", found}, {"kernels", kernels}};
}

}  // namespace

Json explore_json(const PipelineRecord& record, const std::optional<Measured>& measured,
                  const MachineFigures& machine) {
  ExploreTables tables(machine, measured ? measured->position : 0);
  for (const Graph& g : record.states) tables.add_state(g);
  Json page = {{"title", record.title},
               {"source", record.source},
               {"facts", record.facts},
               {"note", record.note},
               {"first", {{"name", record.first_name}, {"doc", record.first_doc}}},
               {"machine", {{"threads", machine.threads}, {"read_gb_s", rounded(machine.read_all / 1e9)}}},
               {"passes", record.passes},
               {"state_after", record.state_after},
               {"ledger", record.ledger}};
  tables.finish(page);
  if (measured) page["measured"] = measured_json(*measured, page["kernels"]["labels"]);
  return page;
}

std::string explore_page(const PipelineRecord& record, const std::optional<Measured>& measured,
                         const MachineFigures& machine) {
  return filled_page(kExplorePage, dumped(explore_json(record, measured, machine)));
}

}  // namespace lmc
