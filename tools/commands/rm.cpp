// lmc rm: removes models that lmc run has compiled and kept.
#include <algorithm>

#include "tools/build/model_cache.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"

namespace lmc::rm_command {
namespace {

struct Options {
  std::vector<std::string> names;
  bool all = false;
};

// The one that is called so, or the only one whose name begins so.
const CachedModel& chosen(const std::vector<CachedModel>& models, const std::string& name) {
  std::vector<const CachedModel*> found;
  for (const CachedModel& m : models) {
    if (m.name == name || m.source == name) return m;
    if (m.name.starts_with(name)) found.push_back(&m);
  }
  if (found.size() == 1) return *found[0];
  if (found.empty()) throw Error(name + ": is not among the models that are kept (lmc list)");
  throw Error(name + ": could be " + found[0]->name + " or " + found[1]->name + "; say more of the name");
}

void run(const Options& o) {
  if (o.all == !o.names.empty()) throw UsageError("name what to remove (lmc list shows it), or pass --all");
  const std::vector<CachedModel> models = cached_models();
  std::vector<const CachedModel*> going;
  for (const std::string& name : o.names) going.push_back(&chosen(models, name));
  for (const CachedModel& m : models) {
    if (o.all) going.push_back(&m);
  }
  std::sort(going.begin(), going.end());
  going.erase(std::unique(going.begin(), going.end()), going.end());
  double bytes = 0;
  for (const CachedModel* m : going) {
    remove_cached(*m);
    bytes += static_cast<double>(m->bytes);
  }
  info("removed {}, {}", going.size(), human_bytes(bytes));
}

const RegisterCommand kRm({"rm", "remove models that lmc run has compiled and kept", [](Flags& flags) {
                             auto o = std::make_shared<Options>();
                             flags.option("names", o->names,
                                          "as lmc list shows them, or as much of it as tells them apart");
                             flags.flag("--all", o->all, "remove all of them");
                             return [o] { run(*o); };
                           }});

}  // namespace
}  // namespace lmc::rm_command
