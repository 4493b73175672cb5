#include "tools/measure/profile/collectives.h"

#include <algorithm>
#include <map>

#include "ir/network.h"
#include "tools/generate/step_sections.h"
#include "tools/measure/profile/kernel_kinds.h"

namespace lmc {
namespace {

// The least of what the ranks have at each place.
std::vector<double> least_of_all(const std::vector<double>& own, Collective& collective) {
  const auto ranks = static_cast<size_t>(collective.ranks());
  const auto bytes = static_cast<int64_t>(own.size() * sizeof(double));
  std::vector<double> all(own.size() * ranks);
  std::copy(own.begin(), own.end(), all.begin() + static_cast<ptrdiff_t>(own.size()) * collective.rank());
  collective.all_gather(
      reinterpret_cast<std::byte*>(all.data()), 1,
      {std::vector<int64_t>(ranks, bytes), collective.rank(), bytes * collective.ranks(), {}});
  std::vector<double> out = own;
  for (size_t i = 0; i < all.size(); ++i) out[i % own.size()] = std::min(out[i % own.size()], all[i]);
  return out;
}

}  // namespace

void CollectiveTimes::operator()(const StepPlan& plan, const StepInfo&, const Profile& times) {
  if (plan.max_tokens != 1 || ++steps_ == 1) return;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    if (plan.stages[s].gather) seconds_.push_back(times.last_stages()[s].span);
  }
}

std::vector<CollectiveKind> CollectiveTimes::kinds(const Plan& plan, Collective& collective) const {
  const std::vector<double> least = seconds_.empty() ? seconds_ : least_of_all(seconds_, collective);
  const auto steps = static_cast<double>(std::max<int64_t>(steps_ - 1, 1));
  const std::vector<StagePlace> places = stage_places(plan.decode);
  std::map<std::string, CollectiveKind> kinds;
  std::vector<CollectiveKind*> of;  // by collective
  for (size_t s = 0; s < plan.decode.stages.size(); ++s) {
    if (!plan.decode.stages[s].gather) continue;
    const RankTraffic t = traffic_of(*plan.decode.stages[s].gather, 1);
    CollectiveKind& k = kinds[part_name(places[s])];
    k.part = part_name(places[s]);
    k.calls += 1;
    k.sent += t.sent;
    k.got += t.got;
    of.push_back(&k);
  }
  for (size_t i = 0; i < seconds_.size(); ++i) {
    CollectiveKind& k = *of[i % of.size()];
    k.seconds += seconds_[i] / steps;
    k.waiting += (seconds_[i] - least[i]) / steps;
  }
  std::vector<CollectiveKind> out;
  for (const auto& [part, k] : kinds) out.push_back(k);
  std::stable_sort(out.begin(), out.end(),
                   [](const CollectiveKind& a, const CollectiveKind& b) { return a.seconds > b.seconds; });
  return out;
}

}  // namespace lmc
