// The texts of a Batcher and the steps that make them: who has a place, who waits, which rows are in a step,
// whose memory goes first. Of one thread; never waits.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/serving/batcher.h"
#include "runtime/serving/kv_pages.h"
#include "runtime/serving/prefill_share.h"
#include "runtime/serving/prefix_tree.h"
#include "runtime/serving/text.h"

namespace lmc {

class StepLoop {
 public:
  // `on_leave` is called in front of each text's on_end. Error for options out of range.
  StepLoop(Session& session, const BatcherOptions& options, std::function<void()> on_leave);

  int64_t context() const { return context_; }
  bool idle() const { return running_.empty() && waiting_.empty(); }

  // It waits for its turn behind all before it.
  void add(std::unique_ptr<Text> text) { waiting_.push_back(std::move(text)); }
  void end_if(const std::function<bool(const Text&)>& which, StopReason reason);
  // Gives places to those that wait, then one step of those that have one.
  void step();

  BatcherStats stats() const;

  void for_each_kept(const std::function<void(const Batcher::KeptPage&)>& f) const;
  bool keep(std::span<const int32_t> tokens, bool beyond, std::span<const std::byte> held);

 private:
  using Owned = std::unique_ptr<Text>;

  void run_step();
  void guarded(const std::function<void()>& f);
  void fail(const std::string& error);

  // Who has a place.
  void admit();
  void give_place(Owned text);
  Owned take_place(size_t running);
  void preempt_youngest();
  void sweep();

  // Memory.
  int64_t own_bytes(const Text& text) const;
  int64_t claims() const;
  bool fits(const Text& text) const;
  void make_room();
  void drop_kept(int64_t wanted);
  bool beyond(const Text& text) const;
  std::span<const int32_t> reusable(const Text& text) const;
  void reuse_prefix(Text& text);
  void keep_pages(Text& text, int64_t before);

  // One step.
  struct Part {  // a text's rows in it: of its unfed tokens, and of guesses behind them
    Text* text;
    int64_t before;  // its position
    int64_t count;   // of its tokens
    bool chooses;
    std::vector<int32_t> guess = {};
  };
  bool is_for_hidden() const;
  void fill_hidden_parts();
  void run_hidden_rows();
  void fill_parts();
  int64_t slice(const Text& text, int64_t room) const;
  void add_part(Text& text, int64_t count);
  void add_guesses();
  int64_t room_for_guess(Text& text, int64_t most, int64_t spare_bytes) const;
  void fill_rows();
  void run_rows();
  // Steps under way.
  bool can_fly() const;
  void fly();
  bool begin();
  void land();
  void land_all();

  std::vector<LogitRequest> requests();
  bool wants_likeliest() const;
  void choose(std::span<const float> logits);
  void choose(std::span<const Likeliest> found);
  void choose(const AskedLogits& logits);
  void tell(const Part& part);

  Session& session_;
  const BatcherOptions options_;
  const std::function<void()> on_leave_;
  const KvPages pages_;
  PrefixTree prefixes_{pages_};
  PrefillShare share_;
  int64_t context_;

  std::vector<Owned> running_;  // by id
  std::deque<Owned> waiting_;   // by id; all are younger than those that run
  struct Slot {
    std::unique_ptr<Sequence> sequence;  // made when first needed
    Text* text = nullptr;                // null: free
  };
  std::vector<Slot> slots_;

  std::vector<Part> parts_;
  bool hidden_ = false;  // is this step, or was the last one, for hidden states?
  size_t texts_ = 0;     // parts of texts in the making, which come first
  struct Flight {
    std::vector<Part> parts;
    size_t texts, rows;
    Session::StepUnderWay step;
  };
  std::deque<Flight> flights_;  // in the order in which they began
  std::vector<StepRow> rows_;   // of the parts
  BatcherStats counts_;
};

}  // namespace lmc
