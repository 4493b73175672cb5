// Which part of the model a stage belongs to, from its scope alone: works for every model file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/plan.h"
#include "runtime/profile.h"

namespace lmc {

enum class Section : uint8_t { embedding, layers, norm, projection };
inline constexpr std::array<const char*, 4> kSectionNames = {"Embedding", "Layers", "Norm", "Projection"};

struct StagePlace {
  Section section = Section::layers;
  int64_t layer = -1;  // "layers.3.ffn" → 3
  std::string part;    // "ffn"
};

// One per stage. Before the first layer: embedding; behind the last: projection where a linear runs, else
// norm.
std::vector<StagePlace> stage_places(const StepPlan& plan);

// Seconds of one step, from what a profile holds of it. Waiting between stages is in `total` alone.
struct StepTimes {
  std::array<double, 4> sections = {};
  std::vector<std::map<std::string, double>> layers;  // by part: {"attention": …, "ffn": …}
  double total = 0;
};
StepTimes step_times(const std::vector<StagePlace>& places, const Profile& profile);

}  // namespace lmc
