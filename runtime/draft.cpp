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
// Rows that a step has anyway, whose costs are learnt; a larger one's are taken to grow slowly.
constexpr size_t kMostRows = 512;

}  // namespace

GuessOdds::GuessOdds() {
  for (size_t i = 0; i < kClasses; ++i) seen_[i] = {kAtFirst[i] * kAtFirstWeight, kAtFirstWeight};
}

GuessOdds GuessOdds::beginning() const {
  GuessOdds out = *this;
  for (Seen& s : out.seen_) s = {s.right / s.all * kAtFirstWeight, kAtFirstWeight};
  return out;
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

Drafter::Drafter(size_t most, size_t least, bool by_model)
    : most_(most), least_(std::min(least, most)), by_model_(by_model), costs_(kMostRows + most) {}

size_t Drafter::by_model(size_t room) const {
  room = std::min(room, most_);
  if (!by_model_ || costs_.plain_is_due(1)) return 0;
  return std::max(self_.length(costs_, room), std::min(least_, room));
}

void Drafter::model_guessed(size_t guesses, size_t right, double seconds) {
  if (guesses == 0) return self_.pass();
  self_.add(guesses, right, seconds);
}

// Most tokens for the time: a text's n guesses make p1 + p1·p2 + … tokens more. The likeliest guess of all
// texts goes first, and never in front of one that it follows.
std::vector<std::vector<int32_t>> Drafter::guess(std::span<const Asker> texts, size_t rows,
                                                 size_t room) const {
  std::vector<std::vector<int32_t>> out;
  struct Row {
    double right;
    size_t text;
  };
  std::vector<Row> more;
  for (const Asker& a : texts) {
    out.push_back(a.text->guess(std::min(a.room, most_)));
    const size_t matched = index_.match(a.text->id_).length;
    double all_right = 1;
    for (size_t i = 0; i < out.back().size(); ++i) {
      all_right *= a.text->odds_.of(matched + i);
      more.push_back({all_right, out.size() - 1});
    }
  }
  std::stable_sort(more.begin(), more.end(), [](const Row& a, const Row& b) { return a.right > b.right; });

  const bool plain = costs_.plain_is_due(rows);
  size_t best = 0;
  double rate = kGain, tokens = static_cast<double>(rows);
  for (size_t n = 1; n <= std::min(more.size(), room) && !plain; ++n) {
    tokens += more[n - 1].right;
    const double now = tokens / static_cast<double>(rows) / costs_.of(rows + n, rows);
    if (now <= rate) continue;
    best = n;
    rate = now;
  }
  std::vector<size_t> counts(texts.size());
  for (size_t i = 0; i < best; ++i) ++counts[more[i].text];
  for (size_t t = 0; t < texts.size(); ++t) {
    const size_t count = std::min({std::max(counts[t], least_), out[t].size(), room});
    out[t].resize(count);
    room -= count;
  }
  return out;
}

DraftText::DraftText(Drafter& drafter)
    : drafter_(drafter), id_(drafter.index_.begin()), odds_(drafter.odds_.beginning()) {}

DraftText::~DraftText() { drafter_.index_.end(id_); }

void DraftText::read(int32_t token) { drafter_.index_.append(id_, token); }

void DraftText::add(int32_t token) {
  const RepeatIndex::Match match = drafter_.index_.match(id_);
  if (match.length > 0) {
    const bool right = drafter_.index_.behind(match)[0] == token;
    odds_.add(match.length, right);
    drafter_.odds_.add(match.length, right);
  }
  read(token);
}

std::vector<int32_t> DraftText::guess(size_t most) const {
  const RepeatIndex::Match match = drafter_.index_.match(id_);
  std::vector<int32_t> out;
  if (match.length == 0) return out;
  const std::span<const int32_t> behind = drafter_.index_.behind(match);
  for (size_t i = 0; i < most; ++i) {
    // A text that repeats itself at once goes on within the guess; another ends.
    if (i >= behind.size() && match.text != id_) break;
    out.push_back(i < behind.size() ? behind[i] : out[i - behind.size()]);
  }
  return out;
}

}  // namespace lmc
