// plan.json of a bundle: what is accepted writes the same plan again, and has a layout of weights.
#include "fuzz.h"
#include "ir/error.h"
#include "tools/bundle/bundle_format.h"
#include "tools/bundle/plan_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  Plan plan;
  try {
    plan = plan_from_json(std::string(fuzz::text(data, size)), "plan.json");
  } catch (const Error&) {
    return 0;
  }
  const std::string text = plan_to_json(plan);
  fuzz::require(plan_to_json(plan_from_json(text, "again.json")) == text, "the plan does not round-trip");
  const WeightsHeader header(plan);
  fuzz::require(header.file_bytes >= 0, "weights of less than nothing");
  return 0;
}
