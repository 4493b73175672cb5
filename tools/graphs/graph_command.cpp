#include "tools/graphs/graph_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ir/text.h"
#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {

int GraphCommand::run(const Graph& g) const {
  const std::string path = folder_.path() + "/graph.lmir";
  write_file(path, print_graph(g));
  const std::string script = command_ + " \"$1\"";
  std::array<const char*, 6> argv = {"sh", "-c", script.c_str(), "sh", path.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, "/bin/sh", &actions, nullptr, const_cast<char**>(argv.data()), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error(fmt::format("cannot start /bin/sh: {}", std::strerror(failed)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  stop_if_interrupted();
  if (!WIFEXITED(status) || WEXITSTATUS(status) >= 126) {
    throw Error(fmt::format("--run {}: {}", command_,
                            WIFEXITED(status)
                                ? fmt::format("cannot be run (exit code {})", WEXITSTATUS(status))
                                : fmt::format("ended by signal {}", WTERMSIG(status))));
  }
  return WEXITSTATUS(status);
}

}  // namespace lmc
