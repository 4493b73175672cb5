#include "tools/system/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "ir/descriptor.h"
#include "ir/error.h"
#include "tools/cli/console.h"

namespace lmc {
namespace fs = std::filesystem;

namespace child {

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
  // To its end, piece by piece.
  void read(const std::function<void(std::string_view)>& piece) const {
    std::array<char, 4096> block{};
    while (true) {
      const ssize_t n = ::read(ends[0], block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      piece({block.data(), static_cast<size_t>(n)});
    }
  }
  std::string read_all() const {
    std::string out;
    read([&](std::string_view piece) { out += piece; });
    return out;
  }
  std::array<int, 2> ends{};
};

}  // namespace child

namespace {

// What the child said last: "lmc: model.yaml:3: …" without the prefix that our own message will have, a
// mistake in its arguments without the hint behind it.
std::string last_message(std::string text) {
  const std::string hint = "Run with --help for more information.";
  if (const size_t at = text.rfind(hint); at != std::string::npos) text.resize(at);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  return text.starts_with("lmc: ") ? text.substr(5) : text;
}

Error failure_of(const std::vector<std::string>& arguments, const std::string& messages) {
  return Error(fmt::format("lmc {}: {}", fmt::join(arguments, " "), last_message(messages)));
}

// This executable, which reads nothing, and writes into these two; an `err` of -1 is where we write ours.
pid_t start(const std::vector<std::string>& arguments, int out, int err) {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  std::vector<char*> argv = {const_cast<char*>(self.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (err >= 0) ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, self.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error(fmt::format("cannot start {}: {}", self, std::strerror(failed)));
  return child;
}

// Waits for it: did it succeed?
bool ends_well(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string run_lmc(const std::vector<std::string>& arguments, ChildSays says) {
  child::Pipe out;
  child::Pipe err;
  const pid_t child = start(arguments, out.ends[1], says == ChildSays::nothing ? err.ends[1] : -1);
  out.close_write();
  err.close_write();

  std::string messages;
  std::string answer;
  {
    const std::jthread listener([&] { messages = err.read_all(); });
    answer = out.read_all();
  }
  const bool well = ends_well(child);
  stop_if_interrupted();  // Ctrl-C reaches the child too
  if (!well) throw failure_of(arguments, says == ChildSays::all ? "has failed, as said above" : messages);
  return answer;
}

class LmcProcess::Impl {
 public:
  explicit Impl(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
    const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    child_ = start(arguments_, nowhere.get(), err_.ends[1]);
    err_.close_write();
    listener_ = std::jthread([this] { listen(); });
  }
  ~Impl() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    ends_well(child_);
  }

  std::string said(const std::string& mark) {
    for (std::unique_lock lock(mutex_);;) {
      if (const size_t at = messages_.find(mark); at != messages_.npos) {
        if (const size_t end = messages_.find('\n', at); end != messages_.npos)
          return messages_.substr(at + mark.size(), end - at - mark.size());
      }
      stop_if_interrupted();
      if (silent_) throw failure_of(arguments_, messages_);
      more_.wait_for(lock, std::chrono::milliseconds(100));
    }
  }

  void end() {
    ::kill(child_, SIGTERM);
    const bool well = ends_well(std::exchange(child_, 0));
    listener_.join();
    stop_if_interrupted();
    if (!well) throw failure_of(arguments_, messages_);
  }

 private:
  void listen() {
    err_.read([this](std::string_view piece) {
      const std::lock_guard lock(mutex_);
      messages_ += piece;
      if (messages_.size() > 2 * kKept) messages_.erase(0, messages_.size() - kKept);
      more_.notify_all();
    });
    const std::lock_guard lock(mutex_);
    silent_ = true;
    more_.notify_all();
  }

  static constexpr size_t kKept = size_t{1} << 20;  // bytes of what it said last

  std::vector<std::string> arguments_;
  pid_t child_ = 0;
  child::Pipe err_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::string messages_;
  bool silent_ = false;    // it has closed its stderr
  std::jthread listener_;  // last: it uses the others
};

LmcProcess::LmcProcess(const std::vector<std::string>& arguments)
    : impl_(std::make_unique<Impl>(arguments)) {}
LmcProcess::~LmcProcess() = default;
std::string LmcProcess::said(const std::string& mark) { return impl_->said(mark); }
void LmcProcess::end() { impl_->end(); }

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
