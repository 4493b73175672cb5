#include "tools/measure/bench/sequences_speed.h"

#include <algorithm>
#include <chrono>

#include "tools/cli/console.h"
#include "tools/measure/bench/speed.h"

namespace lmc {
namespace {

// Fed block by block.
void feed(Session& session, Sequence& sequence, int64_t count) {
  while (sequence.position() < count) {
    std::vector<StepRow> rows;
    const int64_t some = std::min(session.block(), count - sequence.position());
    for (const int32_t token : made_up_tokens(some, session.vocab(), sequence.position()))
      rows.push_back({&sequence, token, false, count});
    session.step_rows(rows);
    stop_if_interrupted();
  }
}

void copy(Sequence& from, Sequence& to) {
  to.reset();
  to.cache.resume(from.position());
  to.tokens = from.tokens;
  to.beyond = from.beyond;
  const auto target = to.cache.filled();
  size_t i = 0;
  for (const std::span<const std::byte> piece : from.cache.filled())
    std::copy(piece.begin(), piece.end(), target[i++].begin());
}

}  // namespace

SequencesTimer::SequencesTimer(Session& session, int64_t count, int64_t depth) : session_(session) {
  beginning_.emplace(session.plan());
  feed(session, *beginning_, depth);
  for (int64_t i = 0; i < count; ++i) sequences_.push_back(std::make_unique<Sequence>(session.plan()));
}

std::vector<double> SequencesTimer::time(int64_t steps) {
  for (const auto& sequence : sequences_) copy(*beginning_, *sequence);
  std::vector<double> out;
  for (int64_t i = 0; i < steps && sequences_[0]->position() < session_.context(); ++i) {
    const auto count = static_cast<int64_t>(sequences_.size());
    const std::vector<int32_t> tokens = made_up_tokens(count, session_.vocab(), i * count);
    std::vector<StepRow> rows;
    for (size_t s = 0; s < sequences_.size(); ++s) rows.push_back({sequences_[s].get(), tokens[s]});
    const auto start = std::chrono::steady_clock::now();
    session_.likeliest(rows);
    out.push_back(seconds_since(start));
    stop_if_interrupted();
  }
  return out;
}

}  // namespace lmc
