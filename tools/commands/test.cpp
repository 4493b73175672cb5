// lmc test: tests of passes, as files.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "passes/engine/pass_test.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/pipeline/pass_files.h"

namespace lmc::test_command {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> inputs;
  PassFiles files;
};

// A folder stands for the tests in it.
std::vector<std::string> tests_of(const Options& o) {
  std::vector<std::string> out;
  for (const std::string& input : o.inputs) {
    if (!fs::is_directory(input)) {
      out.push_back(input);
      continue;
    }
    const size_t before = out.size();
    for (const auto& e : fs::directory_iterator(input)) {
      if (e.path().extension() == ".lmir") out.push_back(e.path().string());
    }
    if (out.size() == before) throw Error(input + ": holds no .lmir file");
    std::sort(out.begin() + static_cast<int64_t>(before), out.end());
  }
  return out;
}

void run(const Options& o) {
  o.files.load();
  const bool bless = std::getenv("LMC_BLESS") != nullptr;
  const std::vector<std::string> tests = tests_of(o);
  size_t failed = 0;
  for (const std::string& test : tests) {
    stop_if_interrupted();
    std::vector<std::string> wrong;
    try {
      wrong = run_pass_test(test, {".", bless});
    } catch (const Error& e) {
      wrong = {e.what()};
    }
    failed += !wrong.empty();
    fmt::print("{} {}\n", wrong.empty() ? "ok    " : "FAILED", test);
    for (const std::string& line : wrong) fmt::print("  {}\n", line);
  }
  if (failed > 0) throw Error(fmt::format("{} of {} tests failed", failed, tests.size()));
}

const RegisterCommand kTest(
    {"test", "run tests of passes (.lmir files that say what is expected)", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("tests", o->inputs, "the files, or folders of them").type_name("FILE").required();
       o->files.add_to(flags);
       flags.footer(
           "A test begins with '// RUN: PASS,… [--set PASS.KEY=VALUE]'; behind its "
           "graph stands '// ---- after' and\nthe graph that must come out, '// ---- "
           "unchanged', or '// ---- error: TEXT'. LMC_BLESS=1 writes what comes out.");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::test_command
