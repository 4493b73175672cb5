// lmc inspect: what is in a bundle or a tokenizer, and whether it is whole.
#include <fmt/format.h>

#include "tools/bundle.h"
#include "tools/command.h"
#include "tools/console.h"
#include "tools/tokenizer_report.h"

namespace lmc {
namespace {

const RegisterCommand kInspect(
    {"inspect", "show what a bundle holds; --verify checks its weights too", [](CLI::App& app) {
       auto path = std::make_shared<std::string>();
       auto verify = std::make_shared<bool>(false);
       app.add_option("bundle", *path,
                      "the bundle, a tokenizer.json or a .model; the newest *.lmc here if left out");
       app.add_flag("--verify", *verify, "check the hash of the weights as well");
       return [path, verify] {
         if (is_tokenizer_path(*path)) return print_tokenizer(*path);
         const Bundle b(path->empty() ? newest_bundle() : *path);
         fmt::print("{}: {} from {}, target {}, context {}, vocabulary {}, {}\n", b.path, b.info.model,
                    b.info.source, b.plan.target, b.plan.context, b.plan.vocab,
                    b.has_tokenizer() ? "with tokenizer" : "no tokenizer");
         for (const PlanWeight& w : b.plan.weights) {
           fmt::print("  {:<56} {:<24} {:<11} {}\n", w.name, w.type.str(), w.layout,
                      human_bytes(static_cast<double>(w.bytes)));
         }
         for (const PlanCache& c : b.plan.caches) {
           fmt::print("  {:<56} {:<24} ring of {:<5} {}\n", c.name,
                      Type{c.dtype, {c.span, c.kv_heads, c.head_dim}}.str(), c.capacity,
                      human_bytes(static_cast<double>(c.bytes)));
         }
         fmt::print("{} stages per token, {} tokens at most per prefill step\n", b.plan.decode.stages.size(),
                    b.plan.prefill.max_tokens);
         if (*verify) {
           b.verify_weights();
           fmt::print("weights are whole\n");
         }
       };
     }});

}  // namespace
}  // namespace lmc
