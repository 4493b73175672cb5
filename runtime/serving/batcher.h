// Many people's requests on one session: they come and go between any two steps, and each gets bit for bit
// what it would get alone. A step carries one token of every text in the making, guesses at what follows it,
// and a slice of the prompts that wait, the oldest first.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "runtime/serving/answer_request.h"
#include "runtime/session.h"

namespace lmc {

struct BatcherOptions {
  int64_t slots = 8;   // texts in the making at most, 1 … session.most_sequences()
  int64_t queue = 64;  // requests that wait at most
  int64_t kv_bytes =
      0;  // of all sequences' caches and of prefixes kept for later; 0: a quarter of the memory
  // While texts are being made, the prompts in a step take at most this share of its time, as far as measured
  // steps tell: a step is at most 1 / (1 - share) times as long as one without them. 0 … 1; at least one
  // token goes in, and with 1 as many as a step takes.
  double prefill_share = 0.5;
  // Guesses tokens of texts in the making, which are verified in the same step (runtime/draft.h), from all
  // texts; it must outlive the batcher. The tokens that come out are the same. Null: none.
  Drafter* drafter = nullptr;
};

// At one moment between two steps; counters count from the beginning.
struct BatcherStats {
  struct Slot {
    uint64_t id = 0;       // of the request; 0: free
    int64_t prompt = 0;    // tokens
    int64_t position = 0;  // tokens fed, prompt included
    int64_t made = 0;      // tokens chosen
  };
  std::vector<Slot> slots;  // BatcherOptions::slots
  int64_t running = 0, waiting = 0;
  uint64_t requests = 0;  // accepted
  uint64_t steps = 0;
  uint64_t prompt_tokens = 0;  // fed, those of texts that resume included
  uint64_t reused_tokens = 0;  // of prompts, that needed not be fed
  uint64_t chosen_tokens = 0;
  uint64_t drafted_tokens = 0, accepted_tokens = 0;  // guessed: fed for verification, and found right
  uint64_t preempted = 0;                            // times a text gave up its memory for an older one
  double step_seconds = 0;
  int64_t sequence_bytes = 0;  // of caches of running texts
  int64_t kept_bytes = 0;      // of prefixes
  int64_t most_bytes = 0;      // of both
};

class Batcher {
 public:
  // The session, whose own sequence stays as it is, must outlive the batcher, and nobody else may run it
  // meanwhile. Error for options out of range, or memory for less than a page.
  Batcher(Session& session, const BatcherOptions& options);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Any thread. The request's id; 0, and nothing is called, where the queue is full or stop() was called.
  // Error for a request that can never be served: a prompt longer than context() or with ids outside the
  // vocabulary, options that make no sense.
  uint64_t submit(AnswerRequest request);
  // Any thread. Its on_end comes within one step, with StopReason::callback. Unknown ids are passed over.
  void cancel(uint64_t id);

  // Runs steps until stop(), or until the session is stopped (SessionOptions::stop), which ends all texts as
  // interrupted. Sleeps where there is nothing to do. One thread, once.
  void run();
  // Any thread, callbacks included. Nothing new is accepted, and what waits ends as interrupted; what runs
  // may end within the grace, then ends as interrupted too. A second call may shorten the grace.
  void stop(std::chrono::milliseconds grace);

  BatcherStats stats() const;  // any thread

  // What is kept for prompts that begin alike, to outlive the process: pages of kCachePage positions, each
  // behind those before it. While nobody runs steps.
  struct KeptPage {
    std::span<const int32_t> tokens;               // all, from the first of the text to the last of the page
    bool beyond;                                   // Sequence::beyond
    uint64_t used;                                 // when last: the higher the later
    std::span<const std::byte> lasting, windowed;  // `windowed` may be dropped: empty
  };
  void for_each_kept(const std::function<void(const KeptPage&)>& f) const;
  // `held`: its lasting bytes, then the windowed ones if there are any. False, and nothing changed, for what
  // is no page of this plan, for one that is not wanted, as it is there or one before it is not, and where
  // there is no room.
  bool keep(std::span<const int32_t> tokens, bool beyond, std::span<const std::byte> held);

  // Positions that a text may have: the session's context, or what fits into kv_bytes.
  int64_t context() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
