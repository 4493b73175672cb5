#include "tools/machine/native_target.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "codegen/target.h"
#include "ir/files.h"
#include "models/text/json_text.h"
#include "tools/cli/console.h"
#include "tools/machine/graph_program.h"
#include "tools/machine/machine.h"
#include "tools/machine/statistics.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace {

constexpr int64_t kTokens = 64;
constexpr double kWorthIt = 1.05;

// Seconds of a prompt's block through four projections that stay in the cache.
double block_seconds(GraphProgram& program) {
  const std::vector<int32_t> block(kTokens, 1);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    program.session().reset();
    program.session().step(block);
  }
  return seconds_since(start);
}

// How many times as fast `a` is as `b`.
double advantage(const Target& a, const Target& b) {
  const std::string text = linear_chain(1024, 1024, 2, LinearFormat::q8_0);
  GraphProgram of_a(text, kTokens, 1, a.name()), of_b(text, kTokens, 1, b.name());
  std::vector<double> ratios;
  for (int round = 0; round < 9; ++round) ratios.push_back(block_seconds(of_b) / block_seconds(of_a));
  return median(ratios);
}

std::string kept_file() {
  const std::string folder = cache_folder();
  return folder.empty() ? "" : folder + "/native-target.json";
}

std::optional<std::string> kept(const std::string& file) {
  if (start_of_file(file, 1).empty()) return std::nullopt;
  try {
    const nlohmann::json json = read_json(file);
    if (json.at("cpu") == cpu_name()) return json.at("target").get<std::string>();
  } catch (const std::exception&) {  // measured again
  }
  return std::nullopt;
}

}  // namespace

std::string native_target() {
  const std::vector<const Target*> here = targets_here();
  if (here.size() < 2 || here[0]->matrix_unit() == nullptr || given_machine())
    return find_target("native").name();
  const std::string file = kept_file();
  const std::optional<std::string> known = kept(file);
  for (const Target* t : {here[0], here[1]}) {
    if (known == t->name()) return t->name();
  }
  const double ratio = advantage(*here[0], *here[1]);
  const std::string out = here[ratio > kWorthIt ? 0 : 1]->name();
  info("{} reads prompts {:.2f} times as fast as {} here: taking {}{}", here[0]->name(), ratio,
       here[1]->name(), out, file.empty() ? "" : ", kept in " + file);
  try {
    if (!file.empty())
      write_file(file,
                 nlohmann::json{{"cpu", cpu_name()}, {"target", out}, {"advantage", ratio}}.dump(1) + "\n");
  } catch (const Error&) {  // measured again next time
  }
  return out;
}

}  // namespace lmc
