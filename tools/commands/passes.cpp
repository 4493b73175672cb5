// lmc passes: the pipeline in order, or all about one pass, from the passes themselves.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ir/pass.h"
#include "tools/cli/command.h"
#include "tools/graphs/explain_pass.h"
#include "tools/pipeline/pass_files.h"

namespace lmc::passes_command {
namespace {

struct Options {
  std::string explained;
  bool json = false;
  PassFiles files;
};

void list_json() {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Pass* p : ordered_passes()) {
    nlohmann::ordered_json settings = nlohmann::ordered_json::object();
    for (const PassSetting& s : p->settings()) settings[s.key] = s.doc;
    out.push_back({{"name", p->name()},
                   {"doc", p->doc()},
                   {"exact", p->exact()},
                   {"standard", p->standard()},
                   {"after", p->after()},
                   {"before", p->before()},
                   {"settings", settings},
                   {"origin", origin_flags(p->name())},
                   {"text", p->text()}});
  }
  fmt::print("{}\n", out.dump(2));
}

void list() {
  for (const Pass* p : ordered_passes()) {
    fmt::print("{:<18} {}{}{}\n", p->name(), p->doc(), p->exact() ? "" : " (not exact)",
               p->standard() ? "" : " (on request: --enable-pass)");
    for (const PassSetting& s : p->settings())
      fmt::print("{:<18}   --set {}.{}=…: {}\n", "", p->name(), s.key, s.doc);
  }
}

const RegisterCommand kPasses({"passes", "list the passes in the order they run", [](Flags& flags) {
                                 auto o = std::make_shared<Options>();
                                 flags
                                     .option("--explain", o->explained,
                                             "all about this one: order, pattern, conditions, an example")
                                     .type_name("PASS");
                                 flags.flag("--json", o->json, "all passes, as JSON");
                                 o->files.add_to(flags);
                                 return [o] {
                                   o->files.load();
                                   if (o->json) return list_json();
                                   if (o->explained.empty()) return list();
                                   fmt::print("{}", explain_pass(find_pass(o->explained)));
                                 };
                               }});

}  // namespace
}  // namespace lmc::passes_command
