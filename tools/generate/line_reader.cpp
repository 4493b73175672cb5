#include "tools/generate/line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/cli/console.h"

namespace lmc {

LineReader::Event LineReader::next(std::string& line) {
  while (true) {
    if (interrupted()) return Event::interrupted;
    const size_t end = pending_.find('\n');
    if (end != std::string::npos || (ended_ && !pending_.empty())) {
      line = pending_.substr(0, end);
      pending_.erase(0, end == std::string::npos ? end : end + 1);
      return Event::line;
    }
    if (ended_) return Event::end;
    char bytes[4096];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) pending_.append(bytes, static_cast<size_t>(n));
    if (n == 0) ended_ = true;
    if (n < 0 && errno != EINTR)
      throw Error(std::string("cannot read standard input: ") + std::strerror(errno));
  }
}

}  // namespace lmc
