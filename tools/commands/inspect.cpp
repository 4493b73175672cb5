// lmc inspect: what is in a bundle, a checkpoint or a tokenizer, and whether it is whole.
#include <fmt/format.h>

#include "ir/cache_layout.h"
#include "models/checkpoint/hub_cache.h"
#include "models/checkpoint/path_kind.h"
#include "tools/build/checkpoint_report.h"
#include "tools/build/tokenizer_report.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"

namespace lmc::inspect_command {
namespace {

std::string maker(const Bundle& b) {
  if (start_of_file(b.file(kSignatureFile), 1).empty()) return "who did not sign it";
  return trusted_keys().empty() ? "who signed it: --trust KEYS says whether it was one of those"
                                : "who is one of those in " + trusted_keys();
}

const RegisterCommand kInspect(
    {"inspect", "show what a bundle or a checkpoint holds, and what it needs", [](Flags& flags) {
       auto path = std::make_shared<std::string>();
       auto verify = std::make_shared<bool>(false);
       flags
           .option("bundle", *path,
                   "a bundle; a Hugging Face folder, config.json, safetensors or GGUF file; a hub id "
                   "(ORG/NAME); a tokenizer.json or .model; the newest *.lmc here if left out")
           .type_name("FILE");
       add_trust_flag(flags);
       auto json = std::make_shared<bool>(false);
       auto context = std::make_shared<int64_t>(0);
       flags.flag("--json", *json, "of a checkpoint: one JSON object");
       flags.option("--context", *context, "of a checkpoint: memory with so many positions (default: all)")
           .positive();
       flags.flag("--verify", *verify, "of a bundle: check the hash of the weights as well");
       return [path, verify, json, context] {
         *path = local_checkpoint(*path);
         const PathKind kind = path_kind(*path);
         if (kind == PathKind::checkpoint || kind == PathKind::config || kind == PathKind::gguf ||
             kind == PathKind::safetensors)
           return print_checkpoint(*path, *context, *json);
         if (*json || *context > 0) throw UsageError("--json and --context go with a checkpoint");
         if (kind == PathKind::tokenizer) return print_tokenizer(*path);
         const Bundle b(path->empty() ? newest_bundle() : *path);
         fmt::print("{}: {} from {}, target {}, context {}, vocabulary {}, {}\n", b.path, b.info.model,
                    b.info.source, b.plan.target, b.plan.context, b.plan.vocab,
                    b.has_tokenizer() ? "with tokenizer" : "no tokenizer");
         for (const PlanWeight& w : b.plan.weights) {
           fmt::print("  {:<56} {:<24} {:<11} {}\n", w.name, w.type.str(), w.layout,
                      human_bytes(static_cast<double>(w.bytes)));
         }
         for (const PlanCache& c : b.plan.caches) {
           fmt::print("  {:<56} {:<24} ring of {:<5} {}\n", c.name, cache_type(c).str(), c.capacity,
                      human_bytes(static_cast<double>(c.bytes)));
         }
         fmt::print("{} stages per token, {} tokens at most per prefill step\n", b.plan.decode.stages.size(),
                    b.plan.prefill.max_tokens);
         fmt::print("a bundle is a program: running it runs the machine code of its maker, {}\n", maker(b));
         if (*verify) {
           b.verify_weights();
           fmt::print("weights are whole: as they were made, whoever made them\n");
         }
       };
     }});

}  // namespace
}  // namespace lmc::inspect_command
