// plan.json of a bundle: what is accepted writes the same plan again, has a layout of weights, and keeps
// kernels within what a session allocates for it.
#include "fuzz.h"
#include "ir/error.h"
#include "stub_session.h"
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
  fuzz::accepted = true;
  const std::string text = plan_to_json(plan);
  fuzz::require(plan_to_json(plan_from_json(text, "again.json")) == text, "the plan does not round-trip");
  const WeightsHeader header(plan);
  fuzz::require(header.file_bytes >= header.data_start, "weights of less than nothing");
  fuzz::describe(plan);
  const int64_t weight_bytes = header.file_bytes - header.data_start;
  if (weight_bytes > (1 << 24) || !fuzz::small_enough_to_run(plan)) return 0;
  const std::vector<std::byte> weights(static_cast<size_t>(weight_bytes));  // as they lie in the file
  std::vector<const void*> addresses;
  for (const int64_t o : header.offsets) addresses.push_back(weights.data() + o);
  try {
    fuzz::use_session(*fuzz::stub_session(plan, addresses));
  } catch (const Error&) {  // not enough memory, a context too short
  }
  return 0;
}
