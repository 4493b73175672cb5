// Values of the command line. The first byte says of which option.
#include <CLI/CLI.hpp>

#include "fuzz.h"
#include "ir/error.h"
#include "ir/text.h"
#include "ir/view.h"
#include "models/checkpoint/hub_cache.h"
#include "passes/engine/check.h"
#include "passes/engine/manager.h"
#include "passes/quant_rules.h"
#include "tools/cli/flags.h"
#include "tools/cli/ids.h"
#include "tools/generate/logit_bias.h"
#include "two_graphs.h"

namespace {

using namespace lmc;

constexpr size_t kFlagsTogether = 4096;

void parse_flags(const std::string& text) {
  CLI::App app;
  Flags flags(app);
  int64_t number = 1;
  uint64_t bytes = 1;
  double real = 1;
  int threads = 1;
  std::vector<int64_t> list = {1};
  std::vector<std::string> words;
  flags.option("--number", number).range(1, 65536);
  flags.option("--positive", real).positive();
  flags.option("--not-negative", real).not_negative();
  flags.option("--list", list).comma_separated().one_value_each().range(1, 1 << 20);
  flags.option("--bytes", bytes).byte_size(4096, uint64_t{1} << 40);
  flags.option("--words", words).comma_separated();
  add_threads_flag(flags, threads);
  std::vector<std::string> given;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    given.push_back(text.substr(at, end - at));
    // CLI11 copies what is left of flags written together for each of them: a second for the 128 kB that
    // Linux lets an argument have, and under a sanitizer, which keeps the copies, too much for a target.
    if (given.back().starts_with('-') && !given.back().starts_with("--"))
      given.back().resize(std::min(end - at, kFlagsTogether));
    at = end + 1;
  }
  std::reverse(given.begin(), given.end());  // as CLI11 takes them
  try {
    app.parse(std::move(given));
  } catch (const CLI::ParseError&) {
    return;
  }
  fuzz::require(number >= 1 && number <= 65536 && threads >= 1 && threads <= 1024,
                "a number out of its range");
  fuzz::require(bytes == 1 || (bytes >= 4096 && bytes <= uint64_t{1} << 40), "a size out of its range");
  for (const int64_t n : list) fuzz::require(n >= 1 && n <= 1 << 20, "a number of a list out of its range");
}

void parse_quant(const std::string& text) {
  QuantRules rules(text, {}, 64);
  rules.choose({"ffn_up", {}, 128, 64});
}

void parse(uint8_t which, const std::string& text) {
  static const Graph graph = parse_graph(fuzz::kDecoder);
  PassOptions options;
  switch (which % 9) {
    case 0:
      return parse_flags(text);
    case 1:
      parse_ids(text);
      return;
    case 2:
      for (const int32_t id : parse_spaced_ids(text, 100))
        fuzz::require(id >= 0 && id < 100, "an id outside of the vocabulary");
      return;
    case 3:
      parse_logit_bias(text);
      return;
    case 4:
      parse_quant(text);
      return;
    case 5:
      fuzz::require(parse_budget(parse_budget(text).str()) == parse_budget(text),
                    "the budget does not round-trip");
      return;
    case 6:
      add_setting(options, text);
      return;
    case 7:
      view_text(graph, text);
      return;
    default:
      if (const auto id = parse_hub_id(text))
        fuzz::require(id->repository().find("..") == std::string::npos, "a hub id that leads elsewhere");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  try {
    parse(data[0], std::string(fuzz::text(data + 1, size - 1)));
    fuzz::accepted = true;
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
