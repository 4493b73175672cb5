#include "runtime/generate.h"

#include <algorithm>
#include <chrono>

#include "ir/error.h"
#include "runtime/draft.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The session's deadline for as long as this lives.
class TimeLimit {
 public:
  TimeLimit(Session& session, double seconds) : session_(session) {
    if (!(seconds >= 0)) throw Error("the time limit must be 0 (none) or more seconds");
    constexpr double kForever = 1e9;  // beyond it a time_point would overflow
    if (seconds == 0 || seconds > kForever) return;
    session.set_deadline(Clock::now() +
                         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  }
  ~TimeLimit() { session_.set_deadline(std::nullopt); }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  Session& session_;
};

class Generation {
 public:
  Generation(Session& session, const GenerateOptions& options, const std::function<bool(int32_t)>& on_token)
      : session_(session), options_(options), on_token_(on_token), sampler_(options.sampler) {
    sampler_.check_vocab(session.vocab());
    if (options.draft < 0) throw Error("the draft must be 0 (none) or more tokens");
  }

  Generated run(std::span<const int32_t> prompt) {
    begin_ = Clock::now();
    sequence_ = session_.tokens();
    sequence_.insert(sequence_.end(), prompt.begin(), prompt.end());
    bool go_on = session_.forward(prompt, Rows::last, [&](int64_t, int64_t, const float* logits) {
      if (options_.on_prompt) options_.on_prompt();
      ended_ = !choose(logits);
    });
    while (go_on && !ended_) go_on = extend();
    if (!ended_) out_.reason = session_.late() ? StopReason::timeout : StopReason::interrupted;
    if (!out_.ids.empty()) out_.decode_seconds = seconds_since(begin_);
    return std::move(out_);
  }

 private:
  // Feeds the last chosen token and the guesses behind it. The logits behind each guess count only if all
  // guesses up to it were what the model chose. False if the session was stopped.
  bool extend() {
    const auto fed = session_.position();  // the whole sequence but its last token
    std::vector<int32_t> tokens = {sequence_.back()};
    const std::vector<int32_t> guess = draft();
    tokens.insert(tokens.end(), guess.begin(), guess.end());
    if (guess.empty() && sampler_.only_greedy()) {
      const std::optional<int32_t> id = session_.next(tokens);
      if (id) ended_ = !accept(*id);
      return id.has_value();
    }
    size_t right = 0;
    bool wrong = false;
    const auto sink = [&](int64_t, int64_t rows, const float* logits) {
      for (int64_t r = 0; r < rows && !wrong && !ended_; ++r) {
        ended_ = !choose(logits + r * session_.vocab());
        wrong = ended_ || right == guess.size() || sequence_.back() != guess[right];
        right += wrong ? 0 : 1;
      }
    };
    const bool finished = session_.forward(tokens, guess.empty() ? Rows::last : Rows::all, sink);
    out_.drafted += static_cast<int64_t>(guess.size());
    out_.accepted += static_cast<int64_t>(right);
    const int64_t valid = fed + 1 + static_cast<int64_t>(right);
    if (session_.position() > valid && !session_.roll_back(valid)) {
      throw Error("the KV cache cannot take back rejected guesses; compile the bundle again");
    }
    return finished;
  }

  // One step's worth at most, and no more than may still come out.
  std::vector<int32_t> draft() const {
    const int64_t left = options_.max_tokens - static_cast<int64_t>(out_.ids.size());
    const int64_t most = std::min(options_.draft, std::min({session_.block(), left, session_.room()}) - 1);
    if (most < 1) return {};
    return draft_by_lookup(sequence_, static_cast<size_t>(most));
  }

  // The next token, from the logits of the sequence's last. False if it ends the generation.
  bool choose(const float* logits) {
    return accept(sampler_.sample({logits, static_cast<size_t>(session_.vocab())}, sequence_));
  }

  bool accept(int32_t id) {
    sequence_.push_back(id);
    out_.ids.push_back(id);
    if (out_.ids.size() == 1) {
      out_.prompt_seconds = seconds_since(begin_);
      begin_ = Clock::now();
    }
    const bool wanted = !on_token_ || on_token_(id);
    const bool is_stop =
        std::find(options_.stop_ids.begin(), options_.stop_ids.end(), id) != options_.stop_ids.end();
    if (is_stop) return end(StopReason::stop_id);
    if (!wanted) return end(StopReason::callback);
    if (static_cast<int64_t>(out_.ids.size()) == options_.max_tokens) return end(StopReason::max_tokens);
    if (static_cast<int64_t>(sequence_.size()) > session_.context()) return end(StopReason::context);
    return true;
  }

  bool end(StopReason reason) {
    out_.reason = reason;
    return false;
  }

  Session& session_;
  const GenerateOptions& options_;
  const std::function<bool(int32_t)>& on_token_;
  Sampler sampler_;
  std::vector<int32_t> sequence_;  // all fed and chosen tokens
  Generated out_;
  bool ended_ = false;
  Clock::time_point begin_;
};

}  // namespace

Generated generate(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(int32_t)>& on_token) {
  if (options.max_tokens <= 0) return {};
  const TimeLimit limit(session, options.seconds);
  return Generation(session, options, on_token).run(prompt);
}

}  // namespace lmc
