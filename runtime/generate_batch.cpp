#include "runtime/generate_batch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ir/error.h"
#include "runtime/restriction.h"

namespace lmc {
namespace {

class BatchGeneration {
 public:
  BatchGeneration(Session& session, std::span<const std::vector<int32_t>> prompts,
                  const GenerateOptions& options, const BatchListener& listener)
      : session_(session), prompts_(prompts), options_(options), listener_(listener) {}

  bool run(int64_t slots) {
    slots_.resize(std::min(static_cast<size_t>(slots), prompts_.size()));
    for (;;) {
      for (Slot& slot : slots_) {
        while (!slot.text && next_ < prompts_.size()) take(slot, next_++);
      }
      const std::vector<Slot*> active = still_in_time();
      if (active.empty() && next_ == prompts_.size()) return true;
      if (!active.empty() && !extend(active)) return false;
    }
  }

 private:
  struct Slot {
    std::unique_ptr<Sequence> sequence;  // made when first needed
    std::optional<Continuation> text;    // nothing: free
    size_t prompt = 0;
  };

  // The prompt is fed by the steps that follow.
  void take(Slot& slot, size_t prompt) {
    session_.check_prompt(prompts_[prompt]);
    if (slot.sequence) {
      slot.sequence->reset();
    } else {
      slot.sequence = std::make_unique<Sequence>(session_.plan());
    }
    slot.prompt = prompt;
    slot.text.emplace(
        options_, session_.vocab(), session_.context(), prompts_[prompt],
        [this, prompt](int32_t id) { return !listener_.on_token || listener_.on_token(prompt, id); });
    if (options_.max_tokens <= 0) finish(slot);
  }

  std::vector<Slot*> still_in_time() {
    std::vector<Slot*> out;
    for (Slot& slot : slots_) {
      if (!slot.text) continue;
      if (slot.text->late()) {
        slot.text->end(StopReason::timeout);
        finish(slot);
      } else {
        out.push_back(&slot);
      }
    }
    return out;
  }

  // What of its text a slot has not fed yet: a prompt's rest, or the token chosen last.
  static std::span<const int32_t> unfed(const Slot& slot) {
    return std::span(slot.text->sequence()).subspan(static_cast<size_t>(slot.sequence->position()));
  }

  // One step: the last token of every text in the making and, in the room that is left, what is unfed of
  // prompts. False if the session was stopped.
  bool extend(const std::vector<Slot*>& active) {
    if (active.size() == 1 && unfed(*active[0]).size() == 1 && active[0]->text->only_greedy()) {
      const Restriction restriction(session_, active[0]->text->allowed());
      const std::optional<int32_t> id = session_.next(*active[0]->sequence, unfed(*active[0])[0]);
      if (!id) return false;
      active[0]->text->accept(*id);
      active[0]->text->add_forced();
      if (active[0]->text->ended()) finish(*active[0]);
      return true;
    }
    rows_.clear();
    choosing_.clear();
    for (Slot* slot : active) {
      if (unfed(*slot).size() == 1) add_rows(*slot, 1);
    }
    const int64_t one_more = static_cast<int64_t>(rows_.size()) + 1;
    const int64_t most = std::min(std::max(session_.block(), one_more), session_.most_tokens());
    for (Slot* slot : active) {
      const size_t room = static_cast<size_t>(most) - rows_.size();
      if (unfed(*slot).size() > 1) add_rows(*slot, std::min(unfed(*slot).size(), room));
    }
    const auto logits = session_.step_rows(rows_);
    if (!logits) return false;
    const auto vocab = static_cast<size_t>(session_.vocab());
    for (size_t i = 0; i < choosing_.size(); ++i) {
      choosing_[i]->text->choose(logits->subspan(i * vocab, vocab));
      choosing_[i]->text->add_forced();
      if (choosing_[i]->text->ended()) finish(*choosing_[i]);
    }
    return true;
  }

  // The next `count` unfed tokens of a text, whose next token is chosen behind the last.
  void add_rows(Slot& slot, size_t count) {
    const std::span<const int32_t> tokens = unfed(slot);
    const auto length = static_cast<int64_t>(slot.text->sequence().size());
    for (const int32_t token : tokens.first(count))
      rows_.push_back({slot.sequence.get(), token, false, length});
    if (count == 0 || count < tokens.size()) return;
    rows_.back().logits = true;
    choosing_.push_back(&slot);
  }

  void finish(Slot& slot) {
    if (listener_.on_end) listener_.on_end(slot.prompt, std::move(slot.text->result()));
    slot.text.reset();
  }

  Session& session_;
  std::span<const std::vector<int32_t>> prompts_;
  const GenerateOptions& options_;
  const BatchListener& listener_;
  std::vector<Slot> slots_;
  size_t next_ = 0;              // prompt
  std::vector<StepRow> rows_;    // of the step
  std::vector<Slot*> choosing_;  // by its wanted rows
};

}  // namespace

bool generate_batch(Session& session, std::span<const std::vector<int32_t>> prompts,
                    const GenerateOptions& options, int64_t slots, const BatchListener& listener) {
  if (options.drafter) throw Error("a batch cannot guess tokens ahead: there must be no drafter");
  if (slots < 1 || slots > session.most_sequences()) {
    throw Error("a batch may hold 1 to " + std::to_string(session.most_sequences()) +
                " texts at a time, not " + std::to_string(slots));
  }
  return BatchGeneration(session, prompts, options, listener).run(slots);
}

}  // namespace lmc
