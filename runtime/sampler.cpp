#include "runtime/sampler.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <optional>
#include <string>

#include "ir/error.h"
#include "runtime/largest.h"

namespace lmc {
namespace {

constexpr double kMostPenalty = 1e6;  // so that no logit becomes infinite
const char* const kDamaged = "the weights are damaged or the model overflows";

[[noreturn]] void refuse(std::span<const float> logits) {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] > FLT_MAX) {
      throw Error("the logit of token " + std::to_string(i) + " is " +
                  (std::isnan(logits[i]) ? "NaN" : "infinite") + ": " + kDamaged);
    }
  }
  throw Error(std::string("no token has a finite logit: ") + kDamaged);
}

}  // namespace

int32_t greedy(std::span<const float> logits) {
  // A vocabulary has 262,144 entries: the largest of each piece, then where it stands in the first piece of
  // the largest.
  constexpr size_t kPiece = 4096;
  float top = -INFINITY;
  size_t from = 0;
  for (size_t i = 0; i < logits.size(); i += kPiece) {
    const std::optional<float> of_piece = largest(logits.subspan(i, std::min(kPiece, logits.size() - i)));
    if (!of_piece) refuse(logits);
    if (*of_piece > top) {
      top = *of_piece;
      from = i;
    }
  }
  if (!(top >= -FLT_MAX)) refuse(logits);
  const auto begin = logits.begin() + static_cast<ptrdiff_t>(from);
  return static_cast<int32_t>(std::find(begin, logits.end(), top) - logits.begin());
}

int32_t greedy(std::span<const TileArgmax> tiles) {
  TileArgmax best{-INFINITY, 0};
  for (const TileArgmax& t : tiles) {
    if (std::isnan(t.value)) throw Error("a logit is NaN or infinite: " + std::string(kDamaged));
    if (t.value > best.value || (t.value == best.value && t.id < best.id)) best = t;
  }
  if (best.value == -INFINITY) refuse({});
  return best.id;
}

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  if (!(options.temperature >= 0 && options.temperature <= DBL_MAX)) {
    throw Error("the temperature must be 0 or more, not " + std::to_string(options.temperature));
  }
  if (options.top_k < 0) throw Error("top-k must be 0 (all) or more, not " + std::to_string(options.top_k));
  if (!(options.top_p >= 0 && options.top_p <= 1)) {
    throw Error("top-p must lie between 0 and 1, not " + std::to_string(options.top_p));
  }
  if (!(options.min_p >= 0 && options.min_p <= 1)) {
    throw Error("min-p must lie between 0 and 1, not " + std::to_string(options.min_p));
  }
  if (!(options.repetition_penalty > 0 && options.repetition_penalty <= DBL_MAX)) {
    throw Error("the repetition penalty must be above 0 (1: none), not " +
                std::to_string(options.repetition_penalty));
  }
  if (options.repetition_window < -1) {
    throw Error("the repetition window must be -1 (none), 0 (all) or more, not " +
                std::to_string(options.repetition_window));
  }
  for (const double penalty : {options.presence_penalty, options.frequency_penalty}) {
    if (!(std::abs(penalty) <= kMostPenalty)) {
      throw Error(
          "the presence and frequency penalties must lie between -1000000 and 1000000 (0: none), not be " +
          std::to_string(penalty));
    }
  }
  for (const auto& [id, bias] : options.logit_bias) {
    if (!(bias <= FLT_MAX)) {
      throw Error("the logit bias of token " + std::to_string(id) + " must be a number or -inf, not " +
                  std::to_string(bias));
    }
  }
}

void Sampler::check_vocab(int64_t vocab) const {
  for (const auto& [id, bias] : options_.logit_bias) {
    if (id < 0 || id >= vocab) {
      throw Error("the logit bias names token " + std::to_string(id) +
                  ", which is not in the vocabulary of " + std::to_string(vocab));
    }
  }
}

bool Sampler::likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

bool Sampler::only_greedy() const { return !draws() && !penalises() && options_.logit_bias.empty(); }

bool Sampler::penalises() const {
  return options_.repetition_penalty != 1 || options_.presence_penalty != 0 ||
         options_.frequency_penalty != 0;
}

bool Sampler::forbids(int32_t id) const {
  const auto it = options_.logit_bias.find(id);
  return it != options_.logit_bias.end() && it->second == -HUGE_VAL;
}

int32_t Sampler::sample(std::span<const float> logits, std::span<const int32_t> sequence, size_t made) {
  logits = adjust(logits, sequence, made);
  const int32_t best = greedy(logits);
  return draws() ? draw(logits, logits[static_cast<size_t>(best)]) : best;
}

std::span<const float> Sampler::adjust(std::span<const float> logits, std::span<const int32_t> sequence,
                                       size_t made) {
  const bool penalise = penalises() && !sequence.empty();
  if (!penalise && options_.logit_bias.empty()) return logits;
  check_vocab(static_cast<int64_t>(logits.size()));
  adjusted_.assign(logits.begin(), logits.end());
  change([this](int32_t id) -> float& { return adjusted_[static_cast<size_t>(id)]; }, sequence, made);
  return adjusted_;
}

// What penalties look back on.
std::span<const int32_t> Sampler::recent(std::span<const int32_t> sequence) const {
  const int64_t window = options_.repetition_window;
  const auto all = static_cast<int64_t>(sequence.size());
  return sequence.last(static_cast<size_t>(window == 0 ? all : std::clamp<int64_t>(window, 0, all)));
}

void Sampler::change(const Logit& logit, std::span<const int32_t> sequence, size_t made) {
  for (const auto& [id, bias] : options_.logit_bias) {
    float& l = logit(id);
    l = static_cast<float>(static_cast<double>(l) + bias);
  }
  if (!penalises() || sequence.empty()) return;
  divide(logit, recent(sequence));
  subtract(logit, options_.counts_answer_alone ? sequence.last(made) : recent(sequence));
}

void Sampler::divide(const Logit& logit, std::span<const int32_t> tokens) {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  if (penalty == 1) return;
  for (const auto& [id, count] : counts_.of(tokens)) {
    float& l = logit(id);
    l = l > 0 ? l / penalty : l * penalty;
  }
}

void Sampler::subtract(const Logit& logit, std::span<const int32_t> tokens) {
  if (options_.presence_penalty == 0 && options_.frequency_penalty == 0) return;
  for (const auto& [id, count] : counts_.of(tokens)) {
    float& l = logit(id);
    const double often = static_cast<double>(count) * options_.frequency_penalty;
    l = static_cast<float>(static_cast<double>(l) - often - options_.presence_penalty);
  }
}

int32_t Sampler::draw(std::span<const float> logits, double top) {
  take_top_k(logits);
  keep_top_p(top);
  keep_min_p(top);
  return draw_candidate(top);
}

int32_t Sampler::draw_candidate(double top) {
  // In the order the candidates stand in: by id, or the likeliest first.
  double total = 0;
  for (Candidate& c : candidates_) total += c.weight = std::exp((c.logit - top) / options_.temperature);
  double left = random_.uniform() * total;
  int32_t chosen = 0;
  for (const Candidate& c : candidates_) {
    if (c.weight == 0) continue;
    chosen = c.id;
    left -= c.weight;
    if (left < 0) break;
  }
  return chosen;
}

// The likeliest first; all of them in the order of ids.
void Sampler::take_top_k(std::span<const float> logits) {
  const auto all = logits.size(), k = static_cast<size_t>(options_.top_k);
  const bool some = k > 0 && k < all;
  candidates_.clear();
  for (size_t i = 0; i < (some ? k : all); ++i) candidates_.push_back({logits[i], static_cast<int32_t>(i)});
  if (!some) return;
  // A heap with the least likely on top, which few of a large vocabulary surpass.
  std::make_heap(candidates_.begin(), candidates_.end(), likelier);
  for (size_t i = k; i < all; ++i) {
    if (logits[i] <= candidates_.front().logit) continue;  // among equals the lower id is there already
    std::pop_heap(candidates_.begin(), candidates_.end(), likelier);
    candidates_.back() = {logits[i], static_cast<int32_t>(i)};
    std::push_heap(candidates_.begin(), candidates_.end(), likelier);
  }
  std::sort_heap(candidates_.begin(), candidates_.end(), likelier);
}

void Sampler::keep_top_p(double top) {
  if (options_.top_p == 1) return;
  double sum = 0;
  for (Candidate& c : candidates_) sum += c.weight = std::exp(c.logit - top);
  // Tokens below this weight add up to less than 1 - p, so p is reached without them. This saves sorting the
  // vocabulary; 0.999 leaves room for rounding.
  const double least = 0.999 * (1 - options_.top_p) * sum / static_cast<double>(candidates_.size());
  std::erase_if(candidates_, [least](const Candidate& c) { return c.weight < least; });
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  double reached = 0;
  size_t kept = 0;
  do {
    reached += candidates_[kept++].weight;
  } while (kept < candidates_.size() && reached < options_.top_p * sum);
  candidates_.resize(kept);
}

void Sampler::keep_min_p(double top) {
  if (options_.min_p == 0) return;
  const double least = top + std::log(options_.min_p);
  std::erase_if(candidates_, [least](const Candidate& c) { return c.logit < least; });
}

}  // namespace lmc
