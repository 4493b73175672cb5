#include "ir/out_of_memory.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "ir/temporaries.h"

namespace lmc {
namespace {

// Plain and never destroyed: read before main() and after it. Relaxed, because none of them hands over
// anything but itself.
std::atomic<bool> said{false};
std::atomic<bool> in_main{false};
std::atomic<bool> ran_out{false};  // operator new failed at least once
std::terminate_handler before = nullptr;

thread_local int not_unwound = 0;

void on_failed_new() {
  ran_out.store(true, std::memory_order_relaxed);
  if (not_unwound > 0 || !in_main.load(std::memory_order_relaxed)) end_out_of_memory();
  throw std::bad_alloc();
}

// Of an exception too large to be made without memory there is none to look at.
bool ends_for_memory() {
  const std::exception_ptr thrown = std::current_exception();
  if (!thrown) return ran_out.load(std::memory_order_relaxed);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

[[noreturn]] void on_terminate() {
  if (ends_for_memory()) end_out_of_memory();
  if (before != nullptr) before();
  std::abort();
}

}  // namespace

void end_where_memory_runs_out() noexcept {
  std::set_new_handler(on_failed_new);
  before = std::set_terminate(on_terminate);
}

void memory_may_run_out() noexcept { in_main.store(true, std::memory_order_relaxed); }

void say_out_of_memory() noexcept {
  constexpr char kMessage[] = "lmc: out of memory\n";
  if (said.exchange(true, std::memory_order_relaxed)) return;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
}

void end_out_of_memory() noexcept {
  say_out_of_memory();
  remove_temporaries();
  ::_exit(1);
}

NotUnwound::NotUnwound() noexcept { ++not_unwound; }
NotUnwound::~NotUnwound() { --not_unwound; }

}  // namespace lmc
