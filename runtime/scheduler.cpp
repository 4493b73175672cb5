#include "runtime/scheduler.h"

#include <map>
#include <utility>

#include "ir/error.h"

namespace lmc {
namespace {

std::map<std::string, SchedulerDef>& table() {
  static std::map<std::string, SchedulerDef> schedulers;
  return schedulers;
}

}  // namespace

RegisterScheduler::RegisterScheduler(SchedulerDef def) {
  const std::string name = def.name;
  table().emplace(name, std::move(def));
}

std::vector<const SchedulerDef*> all_schedulers() {
  std::vector<const SchedulerDef*> out;
  for (const auto& [name, def] : table()) out.push_back(&def);
  return out;
}

const SchedulerDef& find_scheduler(const std::string& name) {
  const auto it = table().find(name);
  if (it != table().end()) return it->second;
  std::string names;
  for (const SchedulerDef* s : all_schedulers()) names += (names.empty() ? "" : ", ") + s->name;
  throw Error("there is no scheduler '" + name + "': there are " + names);
}

}  // namespace lmc
