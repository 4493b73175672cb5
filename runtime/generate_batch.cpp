#include "runtime/generate_batch.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "ir/error.h"
#include "runtime/serving/batcher.h"
#include "runtime/serving/kv_pages.h"

namespace lmc {
namespace {

// No prompt waits for memory or for others' tokens.
BatcherOptions options_for(const Session& session, int64_t slots, Drafter* drafter) {
  const int64_t whole = KvPages(session.plan()).bytes(session.context());
  return {.slots = slots,
          .queue = 0,
          .kv_bytes = std::max<int64_t>(slots * whole, 1),
          .prefill_share = 1,
          .drafter = drafter};
}

// Submits a prompt whenever there is a place for it.
class BatchGeneration {
 public:
  BatchGeneration(Session& session, std::span<const std::vector<int32_t>> prompts,
                  const GenerateOptions& options, int64_t slots, const BatchListener& listener,
                  const BatchDetails& details)
      : prompts_(prompts),
        options_(options),
        listener_(listener),
        details_(details),
        batcher_(session, options_for(session, slots, options.drafter)) {}

  bool run() {
    guarded([&] { submit(); });
    batcher_.run();
    if (error_) std::rethrow_exception(error_);
    return ended_ == prompts_.size();
  }

 private:
  void submit() {
    for (; next_ < prompts_.size() && batcher_.submit(request(next_)) != 0; ++next_) {
    }
    if (ended_ == prompts_.size()) stop();
  }

  AnswerRequest request(size_t prompt) {
    AnswerRequest out{.prompt = prompts_[prompt], .options = options_};
    out.options.drafter = nullptr;
    out.top_logprobs = details_.top_logprobs;
    if (!details_.max_tokens.empty()) out.options.max_tokens = details_.max_tokens[prompt];
    out.on_token = [this, prompt](const TokenChoice& choice) {
      bool go_on = true;
      guarded([&] {
        if (listener_.on_choice) listener_.on_choice(prompt, choice);
      });
      guarded([&] { go_on = !listener_.on_token || listener_.on_token(prompt, choice.id); });
      return go_on;
    };
    out.on_end = [this, prompt](const Generated& generated, const std::string& error) {
      guarded([&] {
        if (!error.empty()) throw Error(error);
        if (listener_.on_end) listener_.on_end(prompt, generated);
        if (generated.reason == StopReason::interrupted) return;
        ++ended_;
        submit();
      });
    };
    return out;
  }

  // The first thing that is thrown ends all, and is thrown by run().
  void guarded(const std::function<void()>& f) {
    if (error_) return;
    try {
      f();
    } catch (...) {
      error_ = std::current_exception();
      stop();
    }
  }

  void stop() { batcher_.stop(std::chrono::milliseconds(0)); }

  std::span<const std::vector<int32_t>> prompts_;
  const GenerateOptions& options_;
  const BatchListener& listener_;
  const BatchDetails& details_;
  Batcher batcher_;
  size_t next_ = 0, ended_ = 0;  // prompts
  std::exception_ptr error_;
};

}  // namespace

bool generate_batch(Session& session, std::span<const std::vector<int32_t>> prompts,
                    const GenerateOptions& options, int64_t slots, const BatchListener& listener,
                    const BatchDetails& details) {
  return BatchGeneration(session, prompts, options, slots, listener, details).run();
}

}  // namespace lmc
