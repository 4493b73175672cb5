#include "tools/cli/terminal_mode.h"

#include <termios.h>

#include <atomic>

namespace lmc {
namespace {

// For the signal handler: written before g_changed_terminal says which one it is of.
termios g_usual_mode;
std::atomic<int> g_changed_terminal{-1};

}  // namespace

TerminalMode::TerminalMode(int fd) {
  if (::tcgetattr(fd, &g_usual_mode) == 0) g_changed_terminal = fd;
  apply();
}

TerminalMode::~TerminalMode() {
  restore_terminal();
  g_changed_terminal = -1;
}

void TerminalMode::apply() const {
  const int fd = g_changed_terminal;
  if (fd < 0) return;
  termios mode = g_usual_mode;
  mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  ::tcsetattr(fd, TCSANOW, &mode);
}

void restore_terminal() noexcept {
  const int fd = g_changed_terminal;
  if (fd >= 0) ::tcsetattr(fd, TCSANOW, &g_usual_mode);
}

}  // namespace lmc
