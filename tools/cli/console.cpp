#include "tools/cli/console.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "ir/printable.h"
#include "ir/temporaries.h"
#include "tools/cli/terminal_mode.h"

namespace lmc {
namespace {

// Written by the signal handler, on whatever thread it runs. In the usual order, which costs nothing here: a
// flag says no more than itself, and what a thread that ends because of it has written is seen by who joins
// it.
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

std::atomic<bool> g_must_end{false};
std::atomic<bool> g_silent{false};

// The terminal's last line is a Progress. Exchanged, so that of many threads that print one erases it; that
// another draws it again in between is seen on the screen, and nowhere else.
std::atomic<bool> g_bar_stands{false};

constexpr const char* kEraseLine = "\r\033[K";

void on_interrupt(int signal) {
  if (signal == SIGTERM) g_must_end = true;
  if (!g_interrupted.exchange(true)) return;
  restore_terminal();
  remove_temporaries();
  ::_exit(130);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // Past a limit on file sizes, writing shall fail like on a full disk instead of killing us.
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &action, nullptr);
}

const std::atomic<bool>& interrupted() { return g_interrupted; }

void stop_if_interrupted() {
  if (g_interrupted) throw Interrupted();
}

bool forget_interrupt() {
  if (g_must_end) return false;
  g_interrupted = false;
  return true;
}

LogLevel log_level() {
  const char* word = std::getenv("LMC_LOG");
  if (word == nullptr || *word == '\0') return LogLevel::info;
  const std::string level = word;
  if (level == "info") return LogLevel::info;
  if (level == "debug") return LogLevel::debug;
  if (level == "trace") return LogLevel::trace;
  throw Error("LMC_LOG=" + level + ": must be info, debug or trace");
}

void silence_log() { g_silent = true; }
bool log_is_silent() { return g_silent; }

void log_line(const std::string& text) {
  if (g_silent) return;
  std::fprintf(stderr, "%s%s\n", g_bar_stands.exchange(false) ? kEraseLine : "", printable(text).c_str());
}

bool coloured_output() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

Progress::Progress(std::string title)
    : title_(std::move(title)), terminal_(!g_silent && ::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (g_bar_stands.exchange(false)) std::fputs(kEraseLine, stderr);
}

void Progress::update(int64_t done, int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (drawn_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  drawn_ = true;
  g_bar_stands = true;
  constexpr int64_t kWidth = 30;
  const int64_t filled = total > 0 ? done * kWidth / total : kWidth;
  std::string bar(static_cast<size_t>(filled), '=');
  bar.resize(kWidth, ' ');
  std::fprintf(stderr, "\r%s [%s] %3d%%", title_.c_str(), bar.c_str(),
               static_cast<int>(total > 0 ? done * 100 / total : 100));
}

std::string human_bytes(double bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  size_t u = 0;
  while (bytes >= 1000 && u + 1 < std::size(units)) {
    bytes /= 1000;
    ++u;
  }
  return u == 0 ? fmt::format("{:.0f} {}", bytes, units[u]) : fmt::format("{:.2f} {}", bytes, units[u]);
}

}  // namespace lmc
