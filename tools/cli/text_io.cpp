#include "tools/cli/text_io.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/cli/console.h"

namespace lmc {

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
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error("cannot write to standard output");
}

}  // namespace lmc
