#include "runtime/continuation.h"

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/seconds.h"

namespace lmc {
namespace {

using Clock = Continuation::Clock;

std::optional<Clock::time_point> after(Clock::time_point begin, double seconds) {
  if (!(seconds >= 0)) throw Error("the time limit must be 0 (none) or more seconds");
  constexpr double kForever = 1e9;  // beyond it a time_point would overflow
  if (seconds == 0 || seconds > kForever) return std::nullopt;
  return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Continuation::Continuation(const GenerateOptions& options, int64_t vocab, int64_t context,
                           std::vector<int32_t> sequence, std::function<bool(int32_t)> on_token)
    : options_(options),
      context_(context),
      sequence_(std::move(sequence)),
      on_token_(std::move(on_token)),
      sampler_(options.sampler),
      begin_(Clock::now()),
      deadline_(after(begin_, options.seconds)) {
  sampler_.check_vocab(vocab);
}

void Continuation::choose(std::span<const float> logits) { accept(sampler_.sample(logits, sequence_)); }

void Continuation::accept(int32_t id) {
  sequence_.push_back(id);
  out_.ids.push_back(id);
  if (out_.ids.size() == 1) {
    out_.prompt_seconds = seconds_since(begin_);
    begin_ = Clock::now();
  }
  if (const std::optional<StopReason> reason = reason_to_end(id)) end(*reason);
}

std::optional<StopReason> Continuation::reason_to_end(int32_t id) {
  const bool wanted = !on_token_ || on_token_(id);
  const auto& stops = options_.stop_ids;
  if (std::find(stops.begin(), stops.end(), id) != stops.end()) return StopReason::stop_id;
  if (!wanted) return StopReason::callback;
  if (static_cast<int64_t>(out_.ids.size()) == options_.max_tokens) return StopReason::max_tokens;
  if (static_cast<int64_t>(sequence_.size()) > context_) return StopReason::context;
  return std::nullopt;
}

void Continuation::end(StopReason reason) {
  ended_ = true;
  out_.reason = reason;
  if (!out_.ids.empty()) out_.decode_seconds = seconds_since(begin_);
}

}  // namespace lmc
