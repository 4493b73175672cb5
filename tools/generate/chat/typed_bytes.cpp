#include "tools/generate/chat/typed_bytes.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "models/text/utf8.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

std::atomic<bool> g_window_changed{false}, g_was_stopped{false};

void on_change(int signal) { (signal == SIGCONT ? g_was_stopped : g_window_changed) = true; }

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  for (const int signal : {SIGWINCH, SIGCONT}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

TypedBytes::TypedBytes(int fd, std::function<void(bool stopped)> changed)
    : fd_(fd), changed_(std::move(changed)) {
  set_handler(on_change);
}

TypedBytes::~TypedBytes() { set_handler(SIG_DFL); }

TypedBytes::Read TypedBytes::next(char32_t& character) {
  while (true) {
    if (interrupted()) return Read::interrupted;
    if (!bytes_.empty()) {
      const tokenizer::Utf8Char c = tokenizer::first_char(bytes_);
      if (c.state != tokenizer::Utf8State::kTruncated || ended_) {
        bytes_.erase(0, c.state == tokenizer::Utf8State::kTruncated ? bytes_.size() : c.length);
        character = c.state == tokenizer::Utf8State::kValid ? c.code : U'\uFFFD';
        return Read::character;
      }
    }
    if (ended_) return Read::end;
    if (!wait()) continue;
    char some[4096];
    const ssize_t n = ::read(fd_, some, sizeof some);
    if (n > 0) bytes_.append(some, static_cast<size_t>(n));
    // A terminal that was hung up is at its end, too.
    if (n == 0 || (n < 0 && errno == EIO)) ended_ = true;
    if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EIO)
      throw Error(std::string("cannot read standard input: ") + std::strerror(errno));
  }
}

// True if there is something to read. Looks around now and then: a signal may come right before poll().
bool TypedBytes::wait() {
  constexpr int kMilliseconds = 200;
  pollfd waiting{fd_, POLLIN, 0};
  const int ready = ::poll(&waiting, 1, kMilliseconds);
  const bool resized = g_window_changed.exchange(false), stopped = g_was_stopped.exchange(false);
  if (resized || stopped) changed_(stopped);
  return ready > 0;
}

}  // namespace lmc
