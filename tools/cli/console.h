// What people see: log lines and progress on stderr, Ctrl-C.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <string>

#include "ir/error.h"
#include "ir/seconds.h"

namespace lmc {

// Wrong usage found after parsing the options: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

// Ends a command whose answer is its exit code. Nothing is printed.
struct ExitCode : std::exception {
  explicit ExitCode(int c) : code(c) {}
  int code;
  const char* what() const noexcept override { return "exit code"; }
};

// Ctrl-C sets a flag; a second one ends the process at once.
void catch_interrupts();
const std::atomic<bool>& interrupted();
void stop_if_interrupted();  // throws Interrupted
// For who has answered a Ctrl-C without ending. False, and nothing changed, for a request to end (SIGTERM).
bool forget_interrupt();

enum class LogLevel : uint8_t { info, debug, trace };
LogLevel log_level();  // LMC_LOG; Error for another word
void log_line(const std::string& text);
void silence_log();  // from then on log lines go nowhere
bool log_is_silent();

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}

// May standard output be coloured? On a terminal, unless NO_COLOR is set.
bool coloured_output();

// A bar on stderr while it is a terminal; nothing otherwise.
class Progress {
 public:
  explicit Progress(std::string title);
  ~Progress();
  void update(int64_t done, int64_t total);

 private:
  std::string title_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

std::string human_bytes(double bytes);  // "1.06 GB"

}  // namespace lmc
