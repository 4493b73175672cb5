// A token from what several ranks tell of their logits (some_logits.h): the one that all logits would give.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string>

#include "ir/error.h"
#include "runtime/sampler.h"

namespace lmc {
namespace {

// Of what is summed by rank and in other orders: a vocabulary of 2^20 rounds to 1e-10 at most.
constexpr double kRounding = 1e-9;
// Asked for where it is not known how many will be needed.
constexpr int64_t kSome = 256;

bool by_id(const KnownLogit& a, const KnownLogit& b) { return a.id < b.id; }

std::vector<KnownLogit> in_order(const SomeLogits& some) {
  std::vector<KnownLogit> out = some.known;
  std::sort(out.begin(), out.end(), by_id);
  return out;
}

// As all logits would be.
void refuse_no_numbers(const std::vector<KnownLogit>& known) {
  for (const KnownLogit& k : known) {
    if (k.logit <= FLT_MAX) continue;
    std::vector<float> until(static_cast<size_t>(k.id) + 1);
    until.back() = k.logit;
    greedy(until);
  }
}

}  // namespace

int64_t Sampler::kept_of(int64_t vocab) const { return options_.top_k < vocab ? options_.top_k : 0; }

LogitRequest Sampler::request(int64_t vocab, std::span<const int32_t> sequence, size_t made) {
  LogitRequest out;
  for (const auto& [id, bias] : options_.logit_bias) out.named.push_back(id);
  if (penalises()) {
    const auto before = recent(sequence), own = sequence.last(options_.counts_answer_alone ? made : 0);
    for (const TokenCount& c : counts_.of(before)) out.named.push_back(c.id);
    for (const TokenCount& c : counts_.of(own)) out.named.push_back(c.id);
  }
  std::sort(out.named.begin(), out.named.end());
  out.named.erase(std::unique(out.named.begin(), out.named.end()), out.named.end());
  if (!draws()) return out;
  if (const int64_t k = kept_of(vocab); k > 0) {
    out.count = k;
  } else if (options_.top_p < 1 || options_.min_p > 0) {
    out.count = kSome;
    out.sum = options_.top_p < 1;
  } else {
    out.temperature = options_.temperature;
  }
  return out;
}

std::optional<int32_t> Sampler::sample(const SomeLogits& some, const FindDraw& where,
                                       std::span<const int32_t> sequence, size_t made) {
  std::vector<KnownLogit> known = in_order(some);
  refuse_no_numbers(known);
  if (!options_.logit_bias.empty() || penalises()) {
    const auto logit = [&](int32_t id) -> float& {
      return std::lower_bound(known.begin(), known.end(), KnownLogit{0, id}, by_id)->logit;
    };
    change(logit, sequence, made);
    refuse_no_numbers(known);
  }
  const auto best = std::min_element(known.begin(), known.end(), lmc::likelier);
  if (best == known.end() || !some.is_certain(*best)) return std::nullopt;
  if (!(best->logit >= -FLT_MAX)) greedy(std::vector<float>{best->logit});  // refused
  if (!draws()) return best->id;
  const double top = best->logit;
  candidates_.clear();
  for (const KnownLogit& k : known) {
    if (k.logit >= -FLT_MAX) candidates_.push_back({k.logit, k.id});
  }
  const bool all = kept_of(some.rests.back().end) == 0 && options_.top_p == 1 && options_.min_p == 0;
  if (all) return draw_from_all(some, known, where, top);
  if (!take_likeliest(some, top)) return std::nullopt;
  return draw_candidate(top);
}

// Leaves the candidates that all logits would leave, in the same order.
bool Sampler::take_likeliest(const SomeLogits& some, double top) {
  const int64_t k = kept_of(some.rests.back().end);
  if (k > 0) {
    if (!take_known_top_k(some, k)) return false;
    keep_top_p(top);
  } else if (options_.top_p < 1) {
    if (!take_known_top_p(some, top)) return false;
  } else if (some.bound() >= top + std::log(options_.min_p)) {
    return false;
  }
  keep_min_p(top);
  return true;
}

bool Sampler::take_known_top_k(const SomeLogits& some, int64_t k) {
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  if (candidates_.size() > static_cast<size_t>(k)) candidates_.resize(static_cast<size_t>(k));
  const Candidate& last = candidates_.back();
  const bool enough = candidates_.size() == static_cast<size_t>(k);
  return enough ? some.is_certain({last.logit, last.id}) : some.bound() == -HUGE_VALF;
}

// As keep_top_p(), whose sum is that over all.
bool Sampler::take_known_top_p(const SomeLogits& some, double top) {
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  double sum = 0;
  for (Candidate& c : candidates_) sum += c.weight = std::exp(c.logit - top);
  for (const SomeLogits::Rest& r : some.rests) {
    if (r.more) sum += r.sum * std::exp(r.most - top);
  }
  const double wanted = options_.top_p * sum;
  double reached = 0;
  size_t kept = 0;
  do {
    reached += candidates_[kept++].weight;
    if (std::abs(reached - wanted) <= kRounding * sum) return false;
  } while (kept < candidates_.size() && reached < wanted);
  const Candidate& last = candidates_[kept - 1];
  candidates_.resize(kept);
  return (reached > wanted || some.bound() == -HUGE_VALF) && some.is_certain({last.logit, last.id});
}

// By id, of which most are not known: a rank at a time, and then on that one.
std::optional<int32_t> Sampler::draw_from_all(const SomeLogits& some, std::span<const KnownLogit> known,
                                              const FindDraw& where, double top) {
  const double t = options_.temperature;
  std::vector<double> sums;
  for (const SomeLogits::Rest& r : some.rests)
    sums.push_back(r.more ? r.sum_at_temperature * std::exp((r.most - top) / t) : 0);
  for (const Candidate& c : candidates_) sums[some.rank_of(c.id)] += std::exp((c.logit - top) / t);
  double total = 0;
  for (const double sum : sums) total += sum;
  Random random = random_;
  double left = random.uniform() * total;
  for (size_t r = 0; r < sums.size(); ++r) {
    const double margin = kRounding * total;
    if (left < sums[r] - margin) {
      LogitDraw draw{
          .rank = static_cast<int64_t>(r), .temperature = t, .top = top, .left = left, .margin = margin};
      std::copy_if(known.begin(), known.end(), std::back_inserter(draw.named),
                   [&](const KnownLogit& k) { return some.rank_of(k.id) == r; });
      const int32_t id = where(std::move(draw));
      if (id < 0) return std::nullopt;
      random_ = random;
      return id;
    }
    if (left < sums[r] + margin) return std::nullopt;
    left -= sums[r];
  }
  return std::nullopt;
}

}  // namespace lmc
