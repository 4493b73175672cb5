#include "runtime/generate.h"

#include <algorithm>
#include <chrono>

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

Generated generate(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(int32_t)>& on_token) {
  Generated out;
  if (options.max_tokens <= 0) return out;
  Sampler sampler(options.sampler);
  const auto is_stop = [&](int32_t id) {
    return std::find(options.stop_ids.begin(), options.stop_ids.end(), id) != options.stop_ids.end();
  };

  auto begin = Clock::now();
  std::span<const float> logits = session.step(prompt);
  while (true) {
    if (logits.empty()) {
      out.reason = StopReason::interrupted;
      break;
    }
    const int32_t id = sampler.sample(logits);
    out.ids.push_back(id);
    if (out.ids.size() == 1) {
      out.prompt_seconds = seconds_since(begin);
      begin = Clock::now();
    }
    const bool go_on = !on_token || on_token(id);
    if (is_stop(id)) {
      out.reason = StopReason::stop_id;
      break;
    }
    if (!go_on) {
      out.reason = StopReason::callback;
      break;
    }
    if (static_cast<int64_t>(out.ids.size()) == options.max_tokens) break;
    if (session.position() == session.context()) {
      out.reason = StopReason::context;
      break;
    }
    logits = session.step(std::span(&id, 1));
  }
  if (!out.ids.empty()) out.decode_seconds = seconds_since(begin);
  return out;
}

}  // namespace lmc
