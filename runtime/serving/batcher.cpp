#include "runtime/serving/batcher.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "ir/error.h"
#include "runtime/serving/step_loop.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// What threads share is behind the mutex; the loop belongs to the thread that runs it.
class Batcher::Impl {
 public:
  Impl(Session& session, const BatcherOptions& options)
      : session_(session),
        loop_(session, options, [this] { leaves(); }),
        places_(options.slots + options.queue),
        stats_(loop_.stats()) {}

  int64_t context() const { return loop_.context(); }

  StepLoop& loop() { return loop_; }

  uint64_t submit(AnswerRequest request) {
    check(request);
    auto text = std::make_unique<Text>(std::move(request), session_.vocab(), context());
    const std::lock_guard lock(mutex_);
    if (stopping_ || taken_ >= places_) return 0;
    mail_.push_back(std::move(text));
    mail_.back()->id = ++last_id_;
    ++taken_;
    wake_.notify_one();
    return last_id_;
  }

  void cancel(uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (id == 0 || id > last_id_) return;
    cancelled_.push_back(id);
    wake_.notify_one();
  }

  void stop(std::chrono::milliseconds grace) {
    constexpr std::chrono::milliseconds kLong = std::chrono::hours(24 * 365);  // no clock overflows
    const auto end = Clock::now() + std::clamp(grace, std::chrono::milliseconds(0), kLong);
    const std::lock_guard lock(mutex_);
    grace_ends_ = stopping_ ? std::min(grace_ends_, end) : end;
    stopping_ = true;
    wake_.notify_one();
  }

  void run() {
    for (bool more = true; more;) {
      more = read_mail();
      if (more) loop_.step();
      const std::lock_guard lock(mutex_);
      stats_ = loop_.stats();
    }
  }

  BatcherStats stats() const {
    const std::lock_guard lock(mutex_);
    BatcherStats out = stats_;
    out.requests = last_id_;
    out.waiting = std::max<int64_t>(0, taken_ - out.running);  // some may have left in this step
    return out;
  }

 private:
  void check(const AnswerRequest& request) const {
    if (request.options.drafter) throw Error("in a batch it is the batcher that has the drafter");
    if (request.on_hidden && session_.hidden_size() == 0)
      throw Error("the model was compiled without the step that hands out its hidden states");
    session_.check_prompt(request.prompt);
    const auto size = static_cast<int64_t>(request.prompt.size());
    if (size > context()) {
      throw Error("the prompt has " + std::to_string(size) + " tokens, but the KV memory holds " +
                  std::to_string(context()));
    }
    if (request.top_logprobs > session_.vocab()) {
      throw Error("there are no " + std::to_string(request.top_logprobs) +
                  " likeliest tokens in a vocabulary of " + std::to_string(session_.vocab()));
    }
  }

  // In front of an end, so that who is told of it may submit the next.
  void leaves() {
    const std::lock_guard lock(mutex_);
    --taken_;
  }

  // Waits for something to do, and does what is not a step. False at the end of all.
  bool read_mail() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return !loop_.idle() || !mail_.empty() || !cancelled_.empty() || stopping_; });
    if (session_.stopped()) {
      stopping_ = true;
      grace_ends_ = Clock::time_point::min();
    }
    const bool stopping = stopping_, late = stopping_ && Clock::now() >= grace_ends_;
    for (auto& text : std::exchange(mail_, {})) loop_.add(std::move(text));
    std::vector<uint64_t> cancelled = std::exchange(cancelled_, {});
    lock.unlock();

    std::sort(cancelled.begin(), cancelled.end());
    if (!cancelled.empty()) {
      loop_.end_if(
          [&](const Text& t) { return std::binary_search(cancelled.begin(), cancelled.end(), t.id); },
          StopReason::callback);
    }
    if (stopping) loop_.end_if([&](const Text& t) { return late || !t.started; }, StopReason::interrupted);
    return !stopping || !loop_.idle();
  }

  Session& session_;
  StepLoop loop_;
  const int64_t places_;  // of those that run and wait

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Text>> mail_;
  std::vector<uint64_t> cancelled_;
  bool stopping_ = false;
  Clock::time_point grace_ends_;
  uint64_t last_id_ = 0;
  int64_t taken_ = 0;
  BatcherStats stats_;
};

Batcher::Batcher(Session& session, const BatcherOptions& options)
    : impl_(std::make_unique<Impl>(session, options)) {}
Batcher::~Batcher() = default;
uint64_t Batcher::submit(AnswerRequest request) { return impl_->submit(std::move(request)); }
void Batcher::cancel(uint64_t id) { impl_->cancel(id); }
void Batcher::run() { impl_->run(); }
void Batcher::stop(std::chrono::milliseconds grace) { impl_->stop(grace); }
BatcherStats Batcher::stats() const { return impl_->stats(); }
void Batcher::for_each_kept(const std::function<void(const KeptPage&)>& f) const {
  impl_->loop().for_each_kept(f);
}
bool Batcher::keep(std::span<const int32_t> tokens, bool beyond, std::span<const std::byte> held) {
  return impl_->loop().keep(tokens, beyond, held);
}
int64_t Batcher::context() const { return impl_->context(); }

}  // namespace lmc
