// lmc price: tokens a second of a model on one machine and on several, predicted by the cost model.
#include "tools/pipeline/price.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/network_flag.h"
#include "tools/cli/text_table.h"
#include "tools/machine/figures_json.h"
#include "tools/machine/native_target.h"
#include "tools/pipeline/model_flags.h"
#include "tools/pipeline/rank_prices.h"

namespace lmc::price_command {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model, network = "latency=50us,bandwidth=1Gb", target = "native";
  std::vector<int64_t> ranks = {1, 2, 4, 8};
  std::vector<std::string> splits = {"tensor", "layers"};
  int64_t per_machine = 1, depth = 0, block = 64, texts = 1;
  ModelFlags source;
  PassFlags passes;
  bool json = false;
};

// A split that cannot be has a reason instead of a price.
struct Row {
  int64_t ranks;
  std::string split;
  std::optional<RankPrice> price;
  std::string obstacle;
};

std::vector<Row> price(const Options& o, const Graph& model, const RankPriceOptions& options) {
  std::vector<Row> out;
  for (const std::string& split : o.splits) {
    for (const int64_t n : o.ranks) {
      stop_if_interrupted();
      Row row{n, split, std::nullopt, ""};
      try {
        row.price = price_of_ranks(model, n, split, options);
      } catch (const Error& e) {
        row.obstacle = e.what();
      }
      out.push_back(row);
    }
  }
  return out;
}

std::string table(const std::vector<Row>& rows) {
  TextTable t({"<split", "ranks", "weights each", "cache each", "collectives", "sent a step", "compute ms",
               "network ms", "decode tokens/s", "prefill tokens/s"});
  std::string remarks;
  for (const Row& r : rows) {
    if (!r.price) {
      remarks += fmt::format("  {}, {} ranks: {}\n", r.split, r.ranks, r.obstacle);
      continue;
    }
    const RankPrice& p = *r.price;
    if (!p.remarks.empty())
      remarks += fmt::format("  {}, {} ranks: {}{}\n", r.split, r.ranks, p.remarks[0],
                             p.remarks.size() > 1 ? fmt::format(", and {} more", p.remarks.size() - 1) : "");
    t.row({p.split, std::to_string(p.ranks), human_bytes(p.weight_bytes), human_bytes(p.cache_bytes),
           std::to_string(p.collectives), human_bytes(p.sent_bytes), fmt::format("{:.2f}", p.compute * 1e3),
           fmt::format("{:.2f}", p.network * 1e3), fmt::format("{:.2f}", p.tokens_per_second()),
           fmt::format("{:.1f}", p.prompt_tokens_per_second())});
  }
  return t.str() + remarks;
}

Json json_of(const std::vector<Row>& rows, const RankPriceOptions& options) {
  Json list = Json::array();
  for (const Row& r : rows) {
    Json j = {{"split", r.split}, {"ranks", r.ranks}};
    if (r.price) {
      const RankPrice& p = *r.price;
      j.update({{"weight_bytes", p.weight_bytes},
                {"cache_bytes", p.cache_bytes},
                {"collectives", p.collectives},
                {"sent_bytes", p.sent_bytes},
                {"compute_seconds", p.compute},
                {"network_seconds", p.network},
                {"decode_tokens_per_second", p.tokens_per_second()},
                {"prefill_block", p.block},
                {"prefill_block_seconds", p.block_seconds},
                {"prefill_tokens_per_second", p.prompt_tokens_per_second()},
                {"not_split", p.remarks}});
    } else {
      j["impossible"] = r.obstacle;
    }
    list.push_back(j);
  }
  return {{"machine", figures_json(options.machine)},
          {"per_machine", options.per_machine},
          {"network",
           {{"latency", options.network.latency},
            {"bandwidth", options.network.bandwidth},
            {"message", options.network.message}}},
          {"position", options.position},
          {"texts", options.texts},
          {"prices", list}};
}

void run(const Options& o) {
  RankPriceOptions options;
  options.network = parse_network(o.network);
  options.passes = o.passes.options();
  Model m = load_model(o.model, o.source.options);
  if (o.depth >= m.context)
    throw UsageError(fmt::format("--depth {}: the context has {} positions", o.depth, m.context));
  o.source.apply(options.passes, m);
  options.passes.phase = PassPhase::optimise;
  options.lowering.block = std::min(o.block, m.context);
  options.lowering.target = o.target == "native" ? native_target() : o.target;
  options.machine = PricingFigures().get();
  options.per_machine = o.per_machine;
  options.position = o.depth;
  options.texts = o.texts;
  if (o.texts > options.lowering.block)
    throw UsageError(
        fmt::format("--texts {}: a step takes {} tokens at most (--block)", o.texts, options.lowering.block));
  const std::vector<Row> rows = price(o, m.graph, options);
  if (o.json) {
    fmt::print("{}\n", json_of(rows, options).dump());
    return;
  }
  info("{}: {} layers, {:.2f} M parameters", m.source, m.layers, static_cast<double>(m.parameters) / 1e6);
  fmt::print("{}", table(rows));
  info("predicted for {} threads a rank, {} greedy text{} at position {}, prompts in blocks of {}; {}",
       options.threads_a_rank(), o.texts, o.texts == 1 ? "" : "s at once", o.depth, options.lowering.block,
       o.network);
}

const RegisterCommand kPrice(
    {"price", "tokens a second of a model on one machine and on several, predicted", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("model", o->model, "a model file, a Hugging Face folder, a GGUF file or a hub id")
           .type_name("MODEL")
           .required();
       flags.option("--ranks", o->ranks, "how many machines")
           .comma_separated()
           .check(
               [](const std::string& n) {
                 for (const char* fits : {"1", "2", "4", "8", "16", "32", "64"}) {
                   if (n == fits) return "";
                 }
                 return "must be 1, 2, 4, 8, 16, 32 or 64";
               },
               "N,…")
           .shows_default();
       flags
           .option("--network", o->network,
                   "what lies between them: latency in us or ms, bandwidth in Mb, Gb, MB or GB a second, and "
                   "what a message costs its sender and its receiver (message, 10us)")
           .type_name("FIGURES")
           .shows_default();
       flags.option("--split", o->splits, "how a model is dealt out")
           .comma_separated()
           .one_of({"tensor", "layers"});
       flags
           .option(
               "--per-machine", o->per_machine,
               "so many ranks share the cores and the memory of a machine (whose figures are those of lmc "
               "machine, or of the file that LMC_MACHINE names)")
           .range(1, 64)
           .shows_default();
       flags.option("-d,--depth", o->depth, "positions of the text before the token that is priced")
           .not_negative();
       flags
           .option("--texts", o->texts,
                   "so many texts at once; ranks that have layers work on different ones at a time")
           .range(1, 4096)
           .shows_default();
       flags.option("--block", o->block, "tokens of a prompt in a step").range(1, 4096).shows_default();
       flags.option("--target", o->target, "instruction set; native is the fastest here")
           .suggests({"native", "avx2", "avx-vnni", "avx512-vnni", "avx512-amx"})
           .shows_default();
       o->source.add_to(flags);
       o->passes.add_to(flags);
       flags.flag("--json", o->json, "for programs");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::price_command
