#include "runtime/generate_batch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ir/error.h"
#include "runtime/time_limit.h"

namespace lmc {
namespace {

class BatchGeneration {
 public:
  BatchGeneration(Session& session, std::span<const std::vector<int32_t>> prompts,
                  const GenerateOptions& options, const BatchListener& listener)
      : session_(session), prompts_(prompts), options_(options), listener_(listener) {}

  bool run(int64_t places) {
    places_.resize(std::min(static_cast<size_t>(places), prompts_.size()));
    for (;;) {
      for (Place& place : places_) {
        while (!place.text && next_ < prompts_.size()) {
          if (!start(place, next_++)) return false;
        }
      }
      const std::vector<Place*> active = still_in_time();
      if (active.empty() && next_ == prompts_.size()) return true;
      if (!active.empty() && !(active.size() == 1 ? extend_alone(*active[0]) : extend(active))) return false;
    }
  }

 private:
  struct Place {
    std::unique_ptr<Sequence> sequence;  // made when first needed
    std::optional<Continuation> text;    // nothing: free
    size_t prompt = 0;
  };

  // Feeds the prompt and chooses the first token. False if the session was stopped.
  bool start(Place& place, size_t prompt) {
    if (place.sequence) {
      place.sequence->reset();
    } else {
      place.sequence = std::make_unique<Sequence>(session_.plan());
    }
    place.prompt = prompt;
    place.text.emplace(
        options_, session_.vocab(), session_.context(), prompts_[prompt],
        [this, prompt](int32_t id) { return !listener_.on_token || listener_.on_token(prompt, id); });
    if (options_.max_tokens <= 0) {
      finish(place);
      return true;
    }
    const Visit visit(session_, *place.sequence);
    const TimeLimit limit(session_, place.text->deadline());
    const std::span<const float> logits = session_.step(prompts_[prompt]);
    if (!logits.empty()) {
      place.text->choose(logits);
    } else if (session_.late()) {
      place.text->end(StopReason::timeout);
    } else {
      return false;
    }
    if (place.text->ended()) finish(place);
    return true;
  }

  std::vector<Place*> still_in_time() {
    std::vector<Place*> out;
    for (Place& place : places_) {
      if (!place.text) continue;
      if (place.text->late()) {
        place.text->end(StopReason::timeout);
        finish(place);
      } else {
        out.push_back(&place);
      }
    }
    return out;
  }

  // One token more of each. False if the session was stopped.
  bool extend(const std::vector<Place*>& active) {
    std::vector<Sequence*> sequences;
    std::vector<int32_t> tokens;
    for (const Place* place : active) {
      sequences.push_back(place->sequence.get());
      tokens.push_back(place->text->sequence().back());
    }
    const std::span<const float> logits = session_.step_each(sequences, tokens);
    if (logits.empty()) return false;
    const auto vocab = static_cast<size_t>(session_.vocab());
    for (size_t i = 0; i < active.size(); ++i) {
      active[i]->text->choose(logits.subspan(i * vocab, vocab));
      if (active[i]->text->ended()) finish(*active[i]);
    }
    return true;
  }

  // The only one left is decoded as generate() does it.
  bool extend_alone(Place& place) {
    const Visit visit(session_, *place.sequence);
    const std::span<const int32_t> token(&place.text->sequence().back(), 1);
    if (place.text->only_greedy()) {
      const std::optional<int32_t> id = session_.next(token);
      if (!id) return false;
      place.text->accept(*id);
    } else {
      const std::span<const float> logits = session_.step(token);
      if (logits.empty()) return false;
      place.text->choose(logits);
    }
    if (place.text->ended()) finish(place);
    return true;
  }

  void finish(Place& place) {
    if (listener_.on_end) listener_.on_end(place.prompt, std::move(place.text->result()));
    place.text.reset();
  }

  Session& session_;
  std::span<const std::vector<int32_t>> prompts_;
  const GenerateOptions& options_;
  const BatchListener& listener_;
  std::vector<Place> places_;
  size_t next_ = 0;  // prompt
};

}  // namespace

bool generate_batch(Session& session, std::span<const std::vector<int32_t>> prompts,
                    const GenerateOptions& options, int64_t places, const BatchListener& listener) {
  if (options.draft != 0) throw Error("a batch cannot guess tokens ahead: the draft must be 0");
  if (places < 1 || places > session.most_sequences()) {
    throw Error("a batch may hold 1 to " + std::to_string(session.most_sequences()) +
                " texts at a time, not " + std::to_string(places));
  }
  return BatchGeneration(session, prompts, options, listener).run(places);
}

}  // namespace lmc
