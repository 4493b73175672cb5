#include "tools/machine/figures_json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 7;

struct Figure {
  const char* name;
  double MachineFigures::*value;
};
constexpr Figure kFigures[] = {
    {"read_one", &MachineFigures::read_one}, {"read_all", &MachineFigures::read_all},
    {"f32_one", &MachineFigures::f32_one},   {"f32_block", &MachineFigures::f32_block},
    {"int8_one", &MachineFigures::int8_one}, {"int8_block", &MachineFigures::int8_block},
    {"attend", &MachineFigures::attend},     {"row", &MachineFigures::row},
    {"exp", &MachineFigures::exp},           {"buffers", &MachineFigures::buffers},
    {"call", &MachineFigures::call},         {"cold", &MachineFigures::cold},
    {"launch", &MachineFigures::launch},     {"step_start", &MachineFigures::step_start},
};

}  // namespace

Json figures_json(const MachineFigures& figures) {
  Json out = {{"threads", figures.threads}};
  for (const Figure& f : kFigures) out[f.name] = figures.*f.value;
  out["from_memory"] = figures.from_memory;
  out["prefetch"] = figures.prefetch;
  return out;
}

MachineFigures figures_from(const Json& j) {
  MachineFigures out;
  out.threads = whole_number<int>(j.at("threads"));
  if (out.threads < 1) throw Error("'threads' is no positive number");
  for (const Figure& f : kFigures) {
    double& value = out.*f.value;
    value = j.at(f.name).get<double>();
    if (!std::isfinite(value) || value <= 0) throw Error(fmt::format("'{}' is no positive number", f.name));
  }
  const Json& parts = j.at("from_memory");
  if (parts.size() != out.from_memory.size())
    throw Error(fmt::format("'from_memory' has {} parts, not {}", parts.size(), out.from_memory.size()));
  for (size_t i = 0; i < out.from_memory.size(); ++i) {
    const double part = out.from_memory[i] = parts.at(i).get<double>();
    if (!(part >= 0 && part <= 1)) throw Error(fmt::format("'from_memory': {} is no part of all", part));
  }
  out.prefetch = whole_number<int>(j.at("prefetch"));
  if (out.prefetch < 0 || out.prefetch > 2) throw Error("'prefetch' is none of 0, 1 and 2");
  return out;
}

std::string machine_to_json(const KeptFigures& kept) {
  Json out = {{"format", kFormat}, {"cpu", kept.cpu}, {"load", kept.load}};
  out.update(figures_json(kept.figures));
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

KeptFigures machine_from_json(const std::string& text) {
  try {
    const Json j = parse_json(text, "");
    if (j.at("format") != kFormat) throw Error("figures in another format");
    return {figures_from(j), j.at("cpu").get<std::string>(), j.at("load").get<double>()};
  } catch (const Json::exception& e) {
    throw Error(e.what());
  }
}

}  // namespace lmc
