#include "runtime/draft.h"

#include <algorithm>
#include <bit>

namespace lmc {
namespace {

// What is counted fades with the number of tokens seen since, so that a text that stops repeating itself is
// noticed within some twenty.
constexpr double kKeep = 0.95;
// Before anything is known, by class. Not many tokens' worth: the text at hand shall say it.
constexpr std::array<double, 7> kAtFirst = {0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95};
constexpr double kAtFirstWeight = 2;
// A guess must promise this much, as figures are never exact.
constexpr double kGain = 1.03;
// Where a request parts from the text before, so much of what they share is indexed again in front of it.
constexpr size_t kOverlap = 64;

}  // namespace

GuessOdds::GuessOdds() {
  for (size_t i = 0; i < kClasses; ++i) seen_[i] = {kAtFirst[i] * kAtFirstWeight, kAtFirstWeight};
}

size_t GuessOdds::class_of(size_t matched) {
  return std::min(static_cast<size_t>(std::bit_width(matched)) - 1, kClasses - 1);
}

void GuessOdds::add(size_t matched, bool right) {
  Seen& seen = seen_[class_of(matched)];
  seen.right = seen.right * kKeep + (right ? 1 : 0);
  seen.all = seen.all * kKeep + 1;
}

double GuessOdds::of(size_t matched) const {
  const Seen& seen = seen_[class_of(matched)];
  return seen.right / seen.all;
}

Drafter::Drafter(size_t most, size_t least) : most_(most), least_(std::min(least, most)), costs_(most + 1) {}

void Drafter::start(std::span<const int32_t> sequence) {
  const auto [before, now] = std::mismatch(text_.begin(), text_.end(), sequence.begin(), sequence.end());
  auto from = static_cast<size_t>(now - sequence.begin());
  if (before != text_.end()) {
    index_.separate();
    from -= std::min(from, kOverlap);
  }
  for (const int32_t token : sequence.subspan(from)) index_.append(token);
  text_.assign(sequence.begin(), sequence.end());
}

void Drafter::add(int32_t token) {
  const RepeatIndex::Match match = index_.match();
  if (match.length > 0) odds_.add(match.length, index_.at(match.next) == token);
  index_.append(token);
  text_.push_back(token);
}

std::vector<int32_t> Drafter::guess(size_t room) const {
  const RepeatIndex::Match match = index_.match();
  std::vector<int32_t> out;
  if (match.length == 0) return out;
  const size_t length = length_that_pays(std::min(room, most_));
  for (size_t i = 0; i < length; ++i) {
    // A text that repeats itself at once goes on within the guess.
    const size_t at = match.next + i;
    const int32_t token = at < index_.size() ? index_.at(at) : out[at - index_.size()];
    if (token < 0) break;  // another text begins
    out.push_back(token);
  }
  return out;
}

// Most tokens for the time: n guesses make 1 + p1 + p1·p2 + … tokens in a step of 1 + n rows.
size_t Drafter::length_that_pays(size_t most) const {
  const size_t matched = index_.match().length;
  size_t best = 0;
  double rate = kGain, tokens = 1, all_right = 1;
  for (size_t n = 1; n <= most && !costs_.single_is_due(); ++n) {
    all_right *= odds_.of(matched + n - 1);
    tokens += all_right;
    if (tokens <= rate * costs_.of(1 + n)) continue;
    best = n;
    rate = tokens / costs_.of(1 + n);
  }
  return std::min(std::max(best, least_), most);
}

}  // namespace lmc
