#include "tools/system/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "ir/error.h"
#include "tools/cli/console.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_write();
    ::close(ends[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_write() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  std::string read_all() const {
    std::string out;
    std::array<char, 4096> block{};
    while (true) {
      const ssize_t n = ::read(ends[0], block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return out;
      out.append(block.data(), static_cast<size_t>(n));
    }
  }
  std::array<int, 2> ends{};
};

// What the child said last: "lmc: model.yaml:3: …" without the prefix that our own message will have, a
// mistake in its arguments without the hint behind it.
std::string last_message(std::string text) {
  const std::string hint = "Run with --help for more information.";
  if (const size_t at = text.rfind(hint); at != std::string::npos) text.resize(at);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  return text.starts_with("lmc: ") ? text.substr(5) : text;
}

}  // namespace

std::string run_lmc(const std::vector<std::string>& arguments, ChildSays says) {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  std::vector<char*> argv = {const_cast<char*>(self.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

  Pipe out;
  Pipe err;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  if (says == ChildSays::nothing) ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, self.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error(fmt::format("cannot start {}: {}", self, std::strerror(failed)));
  out.close_write();
  err.close_write();

  std::string messages;
  std::string answer;
  {
    const std::jthread listener([&] { messages = err.read_all(); });
    answer = out.read_all();
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  stop_if_interrupted();  // Ctrl-C reaches the child too
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(fmt::format("lmc {}: {}", fmt::join(arguments, " "),
                            says == ChildSays::all ? "has failed, as said above" : last_message(messages)));
  }
  return answer;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "lmc-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw Error(fmt::format("{}: {}", name, std::strerror(errno)));
  path_ = name;
  listed_.emplace(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace lmc
