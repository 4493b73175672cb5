// lmc completion: what makes a shell complete lmc's command line.
#include "tools/describe/completion.h"

#include <memory>

#include "tools/cli/command.h"
#include "tools/cli/text_io.h"

namespace lmc::completion_command {
namespace {

void run(const std::string& shell) {
  const ProgramDescription p = describe_program();
  write_stdout(shell == "bash"  ? bash_completion(p)
               : shell == "zsh" ? zsh_completion(p)
                                : fish_completion(p));
}

const RegisterCommand kCompletion(
    {"completion", "print the script that makes a shell complete lmc's command line", [](Flags& flags) {
       auto shell = std::make_shared<std::string>();
       flags.option("shell", *shell, "the shell").one_of({"bash", "zsh", "fish"}).required();
       flags.footer(
           "For one session: source <(lmc completion bash), source <(lmc completion zsh), or lmc completion "
           "fish | source.\nAn installed lmc has them in place.");
       return [shell] { run(*shell); };
     }});

}  // namespace
}  // namespace lmc::completion_command
