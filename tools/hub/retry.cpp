#include "tools/hub/retry.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include "tools/cli/console.h"

namespace lmc {
namespace {

constexpr double kLongestWait = 60;

bool is_passing(int status) { return status == 429 || status == 408 || (status >= 500 && status != 501); }

double backoff(int failures) { return std::min(8.0, 0.5 * static_cast<double>(1 << std::min(failures, 4))); }

// Seconds; of its two forms a date is seldom used, and answered by waiting as without one.
std::optional<double> retry_after(const HttpResponse& response) {
  const std::string text = response.header("retry-after");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || seconds < 0)
    return std::nullopt;
  return static_cast<double>(seconds);
}

void wait(double seconds, const std::function<bool()>& cancelled) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (cancelled && cancelled()) throw Interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

HttpResponse with_retries(const Retry& retry, const std::function<HttpResponse()>& attempt) {
  for (int failures = 0;; ++failures) {
    double seconds = backoff(failures);
    try {
      HttpResponse response = attempt();
      if (!is_passing(response.status) || failures >= retry.times) return response;
      seconds = retry_after(response).value_or(seconds);
      if (seconds > kLongestWait) return response;
      info("{}: answered {}; trying again in {:.1f} s", response.url, response.status, seconds);
    } catch (const TransferFailed& e) {
      const bool got_on = e.moved >= retry.gets_on;
      if (got_on) failures = 0;
      if (failures >= retry.times) throw;
      seconds = got_on ? 0.1 : backoff(failures);
      info("{}; trying again in {:.1f} s", e.what(), seconds);
    }
    wait(seconds, retry.cancelled);
  }
}

}  // namespace lmc
