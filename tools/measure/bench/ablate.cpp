#include "tools/measure/bench/ablate.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/text/json_number.h"
#include "models/text/json_text.h"
#include "runtime/threads.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/console.h"
#include "tools/machine/machine.h"
#include "tools/pipeline/price.h"
#include "tools/system/child.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

// What a bundle needs, apart from time.
struct Size {
  Price price;
  double weights = 0;  // bytes of the file
  double buffers = 0;  // bytes of one step's buffers, the larger of decode and prefill
};

struct Ablation {
  std::string pass;
  int64_t applications = 0;
  Size without;
  std::string refused;  // why the model does not compile without the pass; "" if it does
  AbResult speed;       // A: without the pass, B: with it
};

Size size_of(const std::string& path, int threads) {
  const Bundle bundle(path);
  return {price_of(bundle.plan, machine_figures(threads)), static_cast<double>(bundle.weight_file().size()),
          static_cast<double>(std::max(bundle.plan.decode.arena_bytes, bundle.plan.prefill.arena_bytes))};
}

// The passes that changed the graph, in the pipeline's order.
std::vector<Ablation> passes_at_work(const std::string& bundle) {
  const std::string file = bundle + "/report.json";
  std::vector<Ablation> out;
  const Json report = read_ordered_json(file);
  for (const Json& p : report.at("passes")) {
    if (!p.at("changed").get<bool>()) continue;
    out.push_back({p.at("pass").get<std::string>(), whole_number<int64_t>(p.at("applications")), {}, "", {}});
  }
  return out;
}

Json interval_json(const std::optional<AbRates>& rates) {
  if (!rates) return {};
  const Interval i = rates->ratio();
  return {{"gain", i.value},
          {"gain_low", std::isnan(i.low) ? Json() : Json(i.low)},
          {"gain_high", std::isnan(i.high) ? Json() : Json(i.high)}};
}

Json size_json(const Size& s) {
  return {{"kernels_per_token", s.price.kernels},
          {"weight_bytes_per_token", s.price.weight_bytes},
          {"activation_bytes_per_token", s.price.activation_bytes},
          {"flops_per_token", s.price.flops},
          {"predicted_ms_per_token", s.price.seconds * 1e3},
          {"predicted_ms_per_block", s.price.block_seconds * 1e3},
          {"weight_file_bytes", s.weights},
          {"buffer_bytes", s.buffers}};
}

// How many times as fast the step is with the pass.
double predicted(double without, double with) { return with > 0 ? without / with : 1; }

Json to_json(const AblateOptions& o, const Size& whole, const std::vector<Ablation>& all) {
  Json out = {{"model", o.model},
              {"flags", o.flags},
              {"rounds", o.plan.rounds},
              {"method", kAbMethod},
              {"all_passes", size_json(whole)},
              {"passes", Json::array()}};
  for (const Ablation& a : all) {
    Json j = {{"pass", a.pass}, {"applications", a.applications}};
    if (a.refused.empty()) {
      j["without"] = size_json(a.without);
      j["predicted_decode_gain"] = predicted(a.without.price.seconds, whole.price.seconds);
      j["predicted_prefill_gain"] = predicted(a.without.price.block_seconds, whole.price.block_seconds);
      j["decode"] = interval_json(a.speed.decode);
      j["prefill"] = interval_json(a.speed.prefill);
    } else {
      j["refused"] = a.refused;
    }
    out["passes"].push_back(std::move(j));
  }
  return out;
}

std::string gain(const std::optional<AbRates>& rates) {
  if (!rates) return "";
  const Interval i = rates->ratio();
  const std::string text = fmt::format("{:+.1f}%", (i.value - 1) * 100);
  if (std::isnan(i.low)) return text;
  const bool shown = i.low > 1 || i.high < 1;
  return fmt::format("{}{}{} [{:+.1f}, {:+.1f}]", shown ? "**" : "", text, shown ? "**" : "",
                     (i.low - 1) * 100, (i.high - 1) * 100);
}

std::string size_cells(const Size& s) {
  return fmt::format("{} | {} | {} | {:.2f} G | {:.2f}", s.price.kernels, human_bytes(s.price.weight_bytes),
                     human_bytes(s.price.activation_bytes), s.price.flops / 1e9, s.price.seconds * 1e3);
}

std::string to_markdown(const AblateOptions& o, const Size& whole, const std::vector<Ablation>& all) {
  std::string out =
      "| left out | applications | kernels/token | weight bytes | activation bytes | flops | predicted ms | "
      "decode gain | predicted | prefill gain | predicted | weights | buffers "
      "|\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  out += fmt::format("| (nothing) | | {} | | | | | {} | {} |\n", size_cells(whole),
                     human_bytes(whole.weights), human_bytes(whole.buffers));
  for (const Ablation& a : all) {
    if (!a.refused.empty()) {
      out += fmt::format("| {} | {} | cannot be left out: {} |\n", a.pass, a.applications, a.refused);
      continue;
    }
    const auto percent = [](double ratio) { return fmt::format("{:+.1f}%", (ratio - 1) * 100); };
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", a.pass, a.applications, size_cells(a.without),
        gain(a.speed.decode), percent(predicted(a.without.price.seconds, whole.price.seconds)),
        gain(a.speed.prefill), percent(predicted(a.without.price.block_seconds, whole.price.block_seconds)),
        human_bytes(a.without.weights), human_bytes(a.without.buffers));
  }
  return out + fmt::format(
                   "\nGain: how much faster the model is with the pass than without it, {} rounds in "
                   "turn; {}. Bold where the interval excludes none.\n",
                   o.plan.rounds, kAbMethod);
}

}  // namespace

void run_ablate(const AblateOptions& o) {
  const TemporaryFolder folder;
  const std::string whole = compile_with(o.model, o.flags, folder.path() + "/all.lmc");
  const int threads = o.plan.threads > 0 ? o.plan.threads : default_threads();
  const Size size = size_of(whole, threads);
  std::vector<Ablation> all = passes_at_work(whole);
  for (Ablation& a : all) {
    const std::string path = folder.path() + "/without.lmc";
    try {
      compile_with(o.model, o.flags + " --disable-pass " + a.pass, path);
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& e) {
      a.refused = e.what();
      continue;
    }
    a.without = size_of(path, threads);
    a.speed = measure_ab({path, whole}, o.plan);
    std::filesystem::remove_all(path);
    stop_if_interrupted();
  }
  if (o.json) {
    fmt::print("{}\n", to_json(o, size, all).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    fmt::print("{}", to_markdown(o, size, all));
  }
}

}  // namespace lmc
