// lmc pull: a model of the hub into the cache on this machine.
#include "tools/hub/pull.h"

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"

namespace lmc::pull_command {
namespace {

struct Options {
  std::string id, revision;
  PullOptions pull;
};

HubId asked_for(const Options& o) {
  auto id = parse_hub_id(o.id);
  if (!id)
    throw UsageError(o.id + ": is not the id of a model on the hub (ORG/NAME, such as Qwen/Qwen3-0.6B)");
  if (o.revision.empty()) return *id;
  if (!is_revision(o.revision))
    throw UsageError("--revision " + o.revision + ": is not a branch, tag or commit");
  if (o.id.find('@') != o.id.npos) throw UsageError("--revision: " + o.id + " has a revision already");
  id->revision = o.revision;
  return *id;
}

void run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  const Pulled p = pull(asked_for(o), o.pull);
  info("{} files, {}, of which {} fetched in {:.1f} s", p.files, human_bytes(static_cast<double>(p.bytes)),
       human_bytes(static_cast<double>(p.fetched)), seconds_since(start));
  if (p.gguf.empty()) return write_stdout(p.folder + "\n");
  for (const std::string& file : p.gguf) write_stdout(p.folder + "/" + file + "\n");
}

const RegisterCommand kPull(
    {"pull", "fetch a model from the Hugging Face hub into its cache; prints its folder, or its GGUF file",
     [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("model", o->id, "its id, ORG/NAME or ORG/NAME@REVISION").required();
       flags.option("--revision", o->revision, "a branch, tag or commit (default: main)");
       flags
           .option("--file", o->pull.file,
                   "of a model with several GGUF files: those whose name fits, as in '*Q4_K_M*' or Q4_K_M")
           .type_name("PATTERN");
       flags.option("-j,--parallel", o->pull.parallel, "files at a time").range(1, 32).shows_default();
       flags.option("--retries", o->pull.retries, "attempts after one that failed without getting further")
           .range(0, 1000)
           .shows_default();
       flags
           .option("--timeout", o->pull.timeout_seconds,
                   "seconds after which a silent connection is given up")
           .range(1, 3600)
           .shows_default();
       flags.footer(
           "HF_TOKEN (or HF_HOME/token) says who asks, HF_ENDPOINT names another hub, HF_HUB_CACHE or "
           "HF_HOME "
           "another cache; HF_HUB_OFFLINE=1 forbids the network. A pull that was cut off is continued by the "
           "next one.");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::pull_command
