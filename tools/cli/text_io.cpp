#include "tools/cli/text_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/cli/console.h"

namespace lmc {
namespace {

std::string cannot_write() {
  const std::string why = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
  return "cannot write to standard output" + why;
}

}  // namespace

std::string read_stdin() {
  if (::isatty(STDIN_FILENO)) throw UsageError("nothing to read: standard input is a terminal");
  std::string out;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    stop_if_interrupted();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(std::string("cannot read standard input: ") + std::strerror(errno));
    if (got == 0) return out;
    out.append(buffer, static_cast<size_t>(got));
  }
}

void write_stdout(std::string_view text) {
  if (std::fflush(stdout) != 0) throw Error(cannot_write());  // what was printed before goes first
  // Not through a stream, which throws away what it holds where Ctrl-C interrupts a write.
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(cannot_write());
    text.remove_prefix(static_cast<size_t>(n));
  }
}

std::string failure_of_stdout() {
  errno = 0;
  return std::fflush(stdout) != 0 || std::ferror(stdout) != 0 ? cannot_write() : "";
}

void keep_closed_streams_closed() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest number that is free. Opened the wrong way round: a stream that is used by mistake fails.
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace lmc
