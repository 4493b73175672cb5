#include "tools/measure/profile/page.h"

#include "ir/stage_label.h"
#include "tools/html/html_page.h"
#include "tools/measure/profile/report_json.h"
#include "tools/measure/profile/work.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

// Times in microseconds. Tiles are [stage, tile, worker, begin, duration] to keep the page small.
Json timeline_json(const Recorder& recorder, const StepRecord& step) {
  const StepPlan& plan = recorder.plan_of(step);
  const std::vector<StagePlace>& places = recorder.places_of(step);
  Json stages = Json::array();
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const double span = step.stages[s].span;
    const double bytes = work_of(plan, plan.stages[s], step).bytes;
    stages.push_back({{"label", stage_label(plan.stages[s].work, step.info.tokens, step.info.rows)},
                      {"part", part_name(places[s])},
                      {"layer", places[s].layer},
                      {"us", rounded(span * 1e6)},
                      {"gb_s", rounded(span > 0 ? bytes / span / 1e9 : 0)},
                      {"workers", rounded(span > 0 ? step.stages[s].busy / span : 0)}});
  }
  Json tiles = Json::array();
  for (const RecordedTile& t : step.tiles)
    tiles.push_back({t.stage, t.tile, t.slot, rounded(t.begin * 1e6), rounded((t.end - t.begin) * 1e6)});
  return {{"position", step.position},
          {"total_us", rounded(step.times.total * 1e6)},
          {"stages", stages},
          {"tiles", tiles}};
}

}  // namespace

std::string profile_page(const Audit& audit, const Recorder& recorder) {
  Json data = report_json(audit, recorder);
  data["timeline"] = audit.picture ? timeline_json(recorder, *audit.picture) : Json();
  return filled_page(kProfilePage, dumped(data));
}

}  // namespace lmc
