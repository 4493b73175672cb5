// Independent pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace lmc {

// Calls job(0) … job(count - 1), each once, in any order. The first exception stops all that has not begun
// and is thrown again.
void run_jobs(int threads, size_t count, const std::function<void(size_t)>& job);

}  // namespace lmc
