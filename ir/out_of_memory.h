// Memory that runs out: std::bad_alloc goes up to main(), and where it cannot the process ends with the same
// message and exit code 1.
#pragma once

namespace lmc {

// From now on the process ends so where std::bad_alloc finds no way: out of a destructor or a thread, while
// another is on its way, before main().
void end_where_memory_runs_out() noexcept;
void memory_may_run_out() noexcept;  // main() has begun: whatever is thrown is caught

// The message, once in a process. Allocates nothing.
void say_out_of_memory() noexcept;

// The message, temporary files are removed, exit code 1.
[[noreturn]] void end_out_of_memory() noexcept;

// While one lives, this thread is in code that must not be unwound, because it was compiled without
// exceptions: what it does not get ends the process, if end_where_memory_runs_out() was called.
class NotUnwound {
 public:
  NotUnwound() noexcept;
  ~NotUnwound();
  NotUnwound(const NotUnwound&) = delete;
  NotUnwound& operator=(const NotUnwound&) = delete;
};

}  // namespace lmc
