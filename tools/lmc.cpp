// The command line. Errors of the user end here: one line on stderr, exit code 1 (2 for wrong usage).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include "codegen/llvm_memory.h"
#include "ir/error.h"
#include "ir/file_guard.h"
#include "ir/names.h"
#include "ir/out_of_memory.h"
#include "ir/printable.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/describe/version.h"
#include "tools/generate/ranks.h"

namespace lmc {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which begin in the same place
void end_where_memory_runs_out_everywhere() {
  end_where_memory_runs_out();
  end_where_llvm_finds_no_memory();
}

// Before the static objects of all libraries are made, LLVM's included, for which there may be no memory.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const first_of_all)() = end_where_memory_runs_out_everywhere;
#endif

// The exit code: `code` if all that was printed is written, else `failed`, with a message.
int ended(int code, int failed) {
  const std::string failure = failure_of_stdout();
  if (failure.empty()) return code;
  std::fprintf(stderr, "lmc: %s\n", failure.c_str());
  return failed;
}

// What is wrong with words that no command takes, and what was probably meant.
std::string unknown_word(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const std::vector<std::string> words = (chosen.empty() ? app : *chosen[0]).remaining();
  const auto is_flag = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  auto at = std::find_if(words.begin(), words.end(), is_flag);
  if (at == words.end()) at = words.begin();
  if (at == words.end()) return "";
  const std::string word = at->substr(0, at->find('='));
  std::vector<std::string> known;
  if (!is_flag(word)) {
    if (!chosen.empty()) return "lmc " + chosen[0]->get_name() + ": '" + *at + "' is one word too many";
    for (const Command& c : all_commands()) known.push_back(c.name);
    return "lmc: unknown command '" + word + "'" + did_you_mean(word, known, "; lmc --help lists them");
  }
  const CLI::App& command = chosen.empty() ? app : *chosen[0];
  for (const CLI::Option* o : command.get_options()) {
    for (const std::string& name : o->get_lnames()) known.push_back("--" + name);
  }
  return (chosen.empty() ? "lmc" : "lmc " + chosen[0]->get_name()) + ": unknown flag '" + word + "'" +
         did_you_mean(word, known);
}

int run(int argc, char** argv) {
  keep_closed_streams_closed();
  CLI::App app(std::string("lmc: ") + kProgramDoc, "lmc");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(0, 1);  // whether there is one is asked last, so that an unknown one is named
  std::vector<std::function<void()>> actions;
  for (const Command& c : all_commands()) {
    CLI::App* sub = app.add_subcommand(c.name, c.doc);
    Flags flags(*sub);
    sub->callback([action = c.setup(flags), &actions] { actions.push_back(action); });
  }
  try {
    std::vector<std::string> words = words_of(argc, argv);
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    app.parse(std::move(words));
    if (actions.empty()) throw CLI::RequiredError("A subcommand");
  } catch (const CLI::ExtrasError& e) {
    std::string what = unknown_word(app);
    if (what.empty()) what = e.what();
    std::fprintf(stderr, "%s\nRun with --help for more information.\n", printable(what).c_str());
    return 2;
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);  // prints the help, if that is what was asked for
    return code == 0 ? ended(0, 1) : 2;
  }
  try {
    catch_interrupts();
    for (const auto& action : actions) action();
    check_mapped_files();
    return ended(0, 1);
  } catch (const ExitCode& e) {
    return ended(e.code, 2);
  } catch (const UsageError& e) {
    std::fprintf(stderr, "lmc: %s\n", printable(e.what()).c_str());
    return 2;
  } catch (const Interrupted&) {
    std::fprintf(stderr, "lmc: interrupted\n");
    return 130;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error& e) {
    if (std::ferror(stdout) != 0) return ended(1, 1);  // by fmt, which does not know where it prints
    const bool threads = e.code() == std::errc::resource_unavailable_try_again;
    std::fprintf(stderr, "lmc: %s%s%s\n", rank_at_fault().c_str(), threads ? "cannot start a thread: " : "",
                 printable(e.what()).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "lmc: %s%s\n", rank_at_fault().c_str(), printable(e.what()).c_str());
  }
  return 1;
}

}  // namespace
}  // namespace lmc

int main(int argc, char** argv) {
  lmc::memory_may_run_out();
  try {
    const int code = lmc::run(argc, argv);
    lmc::leave_ranks(code);
    return code;
  } catch (const std::bad_alloc&) {  // while a message is made, too
    lmc::say_out_of_memory();
    return 1;
  }
}
