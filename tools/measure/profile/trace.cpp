#include "tools/measure/profile/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "ir/stage_label.h"
#include "tools/measure/profile/kernel_kinds.h"

namespace lmc {
namespace {

constexpr int kStepRow = 0;
int worker_row(int slot) { return slot + 1; }

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

class Writer {
 public:
  void name_row(int row, const std::string& name) {
    add(R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":{}}}}})", row, quoted(name));
    add(R"({{"name":"thread_sort_index","ph":"M","pid":1,"tid":{0},"args":{{"sort_index":{0}}}}})", row);
  }
  // Seconds; the format wants microseconds.
  void event(const std::string& name, const std::string& category, int row, double begin, double seconds,
             const std::string& args) {
    add(R"({{"name":{},"cat":{},"ph":"X","ts":{:.3f},"dur":{:.3f},"pid":1,"tid":{},"args":{}}})",
        quoted(name), quoted(category), begin * 1e6, seconds * 1e6, row, args);
  }
  std::string str() const {
    return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + fmt::to_string(out_) + "\n]}\n";
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    if (out_.size() > 0) out_.append(std::string_view(",\n"));
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  fmt::memory_buffer out_;
};

void write_step(Writer& out, const Recorder& recorder, const StepRecord& step, int64_t number) {
  const char* phase = kPhaseNames[static_cast<size_t>(step.phase)];
  out.event(fmt::format("{} {}", phase, number), phase, kStepRow, step.start, step.times.total,
            fmt::format(R"({{"position":{},"tokens":{},"rows":{}}})", step.position, step.info.tokens,
                        step.info.rows));
  const StepPlan& plan = recorder.plan_of(step);
  const std::vector<StagePlace>& places = recorder.places_of(step);
  for (const RecordedTile& t : step.tiles) {
    const auto s = static_cast<size_t>(t.stage);
    const std::string layer = places[s].layer >= 0 ? fmt::format(R"("layer":{},)", places[s].layer) : "";
    out.event(stage_label(plan.stages[s].work, step.info.tokens, step.info.rows), part_name(places[s]),
              worker_row(t.slot), step.start + t.begin, t.end - t.begin,
              fmt::format(R"({{{}"stage":{},"tile":{}}})", layer, t.stage, t.tile));
  }
}

}  // namespace

std::string trace_json(const Recorder& recorder) {
  Writer out;
  std::set<int> slots;
  for (const StepRecord& s : recorder.steps())
    for (const RecordedTile& t : s.tiles) slots.insert(t.slot);
  out.name_row(kStepRow, "steps");
  for (const int slot : slots) out.name_row(worker_row(slot), fmt::format("worker {}", slot));
  std::array<int64_t, kPhaseNames.size()> numbers{};
  for (const StepRecord& s : recorder.steps()) {
    const int64_t number = ++numbers[static_cast<size_t>(s.phase)];
    if (!s.tiles.empty()) write_step(out, recorder, s, number);
  }
  return out.str();
}

}  // namespace lmc
