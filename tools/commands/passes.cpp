// lmc passes: the pipeline, in order, from the passes themselves.
#include <fmt/format.h>

#include "passes/pass.h"
#include "tools/command.h"

namespace lmc {
namespace {

const RegisterCommand kPasses({"passes", "list the passes in the order they run", [](CLI::App&) {
                                 return [] {
                                   for (const Pass* p : ordered_passes()) {
                                     fmt::print("{:<16} {}{}\n", p->name(), p->doc(),
                                                p->exact() ? "" : " (not exact)");
                                     for (const PassSetting& s : p->settings()) {
                                       fmt::print("{:<16}   --set {}.{}=…: {}\n", "", p->name(), s.key,
                                                  s.doc);
                                     }
                                   }
                                 };
                               }});

}  // namespace
}  // namespace lmc
