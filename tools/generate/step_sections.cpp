#include "tools/generate/step_sections.h"

#include <charconv>
#include <string_view>

namespace lmc {
namespace {

// "layers.3.ffn" → {layers, 3, "ffn"}
bool read_layer(std::string_view scope, StagePlace& place) {
  constexpr std::string_view kPrefix = "layers.";
  if (!scope.starts_with(kPrefix)) return false;
  scope.remove_prefix(kPrefix.size());
  const auto r = std::from_chars(scope.data(), scope.data() + scope.size(), place.layer);
  if (r.ec != std::errc()) return false;
  scope.remove_prefix(static_cast<size_t>(r.ptr - scope.data()));
  if (!scope.empty()) scope.remove_prefix(1);
  place.part = scope.empty() ? "layer" : std::string(scope.substr(0, scope.find('.')));
  return true;
}

}  // namespace

std::vector<StagePlace> stage_places(const StepPlan& plan) {
  std::vector<StagePlace> out;
  bool layers_seen = false;
  for (const PlanStage& s : plan.stages) {
    StagePlace place;
    if (read_layer(s.scope, place)) {
      layers_seen = true;
    } else if (!layers_seen) {
      place.section = Section::embedding;
    } else {
      place.section = s.work.format ? Section::projection : Section::norm;
    }
    out.push_back(place);
  }
  return out;
}

StepTimes step_times(const std::vector<StagePlace>& places, const Profile& profile) {
  StepTimes out;
  out.total = profile.last_seconds();
  for (size_t s = 0; s < places.size(); ++s) {
    const double seconds = profile.last_stages()[s].span;
    out.sections[static_cast<size_t>(places[s].section)] += seconds;
    if (places[s].layer < 0) continue;
    const auto layer = static_cast<size_t>(places[s].layer);
    if (layer >= out.layers.size()) out.layers.resize(layer + 1);
    out.layers[layer][places[s].part] += seconds;
  }
  return out;
}

}  // namespace lmc
