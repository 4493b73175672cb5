// lmc explore: the pipeline of passes as one page.
#include <fmt/format.h>

#include <algorithm>

#include "ir/text.h"
#include "models/checkpoint/hub_cache.h"
#include "models/checkpoint/path_kind.h"
#include "models/load/model.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/graphs/explore/page.h"
#include "tools/measure/profile/report_json.h"
#include "tools/pipeline/pass_flags.h"
#include "tools/pipeline/price.h"
#include "tools/pipeline/quant_flags.h"
#include "tools/system/files.h"

namespace lmc::explore_command {
namespace {

struct Options {
  std::string input, output, profile, split;
  RecordedRank rank;
  QuantFlags quant;
  ModelOptions weights;
  PassFlags passes;
  bool json = false;
};

PipelineRecord explore_model(const Options& o, PassOptions passes) {
  Model m = load_model(o.input, o.weights);
  o.quant.apply(passes, m);
  passes.weights = m.weights.get();
  PipelineRecord r = record_pipeline(std::move(m.graph), passes, o.rank);
  r.title = m.family;
  r.source = m.source;
  r.facts.insert(r.facts.begin(),
                 {fmt::format("{} layers", m.layers),
                  fmt::format("{:.2f} M parameters", static_cast<double>(m.parameters) / 1e6),
                  fmt::format("context {}", m.context), fmt::format("vocabulary {}", m.vocab)});
  return r;
}

PipelineRecord record(const Options& o) {
  PassOptions passes = o.passes.options();
  if (!o.split.empty()) passes.settings["shard"]["rules"] = o.split;
  const PathKind kind = path_kind(o.input);
  if (kind == PathKind::bundle || kind == PathKind::folder) {
    if (o.rank.ranks > 0) throw UsageError("--ranks deals a model out: a bundle is dealt out already");
    return record_of_bundle(o.input);
  }
  if (kind != PathKind::graph && kind != PathKind::other) return explore_model(o, passes);
  PipelineRecord r = record_pipeline(parse_graph(read_input(o.input), o.input), passes, o.rank);
  r.title = "@" + r.states[0].name;
  r.source = o.input;
  return r;
}

void run(const Options& o) {
  if (o.rank.ranks == 0 && (o.rank.rank > 0 || !o.split.empty()))
    throw UsageError("--rank and --split go with --ranks");
  if (o.rank.rank >= std::max<int64_t>(o.rank.ranks, 1))
    throw UsageError(fmt::format("--rank {}: there are {} ranks, counted from 0", o.rank.rank, o.rank.ranks));
  if (o.json == !o.output.empty())
    throw UsageError("say where the page shall go with -o PAGE.html, or ask for --json");
  std::optional<Measured> measured;
  if (!o.profile.empty()) measured = read_profile(o.profile);
  const PipelineRecord r = record(o);
  const MachineFigures machine = measured ? measured->machine : PricingFigures().get();
  if (o.json) {
    fmt::print("{}\n", dumped(explore_json(r, measured, machine)));
    return;
  }
  const std::string page = explore_page(r, measured, machine);
  write_file(o.output, page);
  info("wrote {} ({}): open it in a browser", o.output, human_bytes(static_cast<double>(page.size())));
}

const RegisterCommand kExplore(
    {"explore", "show the pipeline as one page: each pass, the IR before and after it, pictures, costs",
     [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags
           .option("input", o->input,
                   "a model file (.yaml), a Hugging Face folder, a bundle, or a graph in text form (.lmir)")
           .type_name("MODEL")
           .required();
       flags.option("-o,--output", o->output, "the page to write").type_name("FILE");
       flags
           .option("--ranks", o->rank.ranks,
                   "deal it out to so many machines: what each computes and what is sent, then one rank's "
                   "kernels")
           .check(
               [](const std::string& n) {
                 return n == "1" || n == "2" || n == "4" || n == "8" ? "" : "must be 1, 2, 4 or 8";
               },
               "N");
       flags.option("--rank", o->rank.rank, "with --ranks: whose kernels, counted from 0").range(0, 7);
       flags.option("--split", o->split, "with --ranks: tensor (default) or layers, as lmc compile has it")
           .one_of({"tensor", "layers"});
       flags
           .option("--profile", o->profile,
                   "measured times beside predicted ones: what lmc profile --json wrote")
           .type_name("FILE");
       flags
           .option("--weights", o->weights.weights,
                   "of a model file: a Hugging Face folder, or random, or none (default: its checkpoint)")
           .type_name("CHECKPOINT");
       flags.option("--size", o->weights.size, "which size of random or no weights");
       flags.option("--context", o->weights.context, "most positions of a sequence").positive();
       o->quant.add_to(flags);
       flags.flag("--json", o->json, "print what the page shows as one JSON object instead");
       o->passes.add_to(flags);
       return [o] {
         o->input = local_checkpoint(o->input);
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc::explore_command
