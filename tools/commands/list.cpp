// lmc list: the models that lmc run has compiled and kept.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/build/model_cache.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/cli/text_table.h"

namespace lmc::list_command {
namespace {

std::string time_text(std::filesystem::file_time_type t) {
  if (t == std::filesystem::file_time_type::min()) return "";
  const auto system = std::chrono::file_clock::to_sys(t);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(system));
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(seconds));
}

void run(bool json) {
  const std::vector<CachedModel> models = cached_models();
  if (json) {
    auto out = nlohmann::ordered_json::array();
    for (const CachedModel& m : models)
      out.push_back(
          {{"name", m.name}, {"bytes", m.bytes}, {"source", m.source}, {"used", time_text(m.used)}});
    return write_stdout(out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }
  if (models.empty()) return info("nothing is kept; lmc run CHECKPOINT compiles and keeps one");
  TextTable table({"<name", "size", "<used", "<source"});
  for (const CachedModel& m : models) {
    table.row({m.name, human_bytes(static_cast<double>(m.bytes)), time_text(m.used),
               m.source.empty() ? "(unfinished)" : m.source});
  }
  write_stdout(table.str());
}

const RegisterCommand kList({"list", "list the models that lmc run has compiled and kept", [](Flags& flags) {
                               auto json = std::make_shared<bool>(false);
                               flags.flag("--json", *json, "print JSON");
                               return [json] { run(*json); };
                             }});

}  // namespace
}  // namespace lmc::list_command
