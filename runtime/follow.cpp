#include "runtime/follow.h"

#include <algorithm>
#include <span>
#include <string>

#include "ir/error.h"
#include "runtime/row_check.h"

namespace lmc {
namespace {

constexpr int32_t kMostSequences = 1 << 20;

// What is wanted of a row.
enum class Wish : int64_t { nothing, logits, likeliest };

struct RowMessage {
  int64_t position, length;
  int32_t sequence, token;
  Wish wish;
};

Wish wish_of(const StepRow& row, bool likeliest) {
  if (likeliest) return Wish::likeliest;
  return row.logits ? Wish::logits : Wish::nothing;
}

}  // namespace

void announce(Collective& collective, std::span<const StepRow> rows, bool likeliest) {
  std::vector<RowMessage> said;
  for (size_t i = 0; i < rows.size(); ++i) {
    const StepRow& row = rows[i];
    said.push_back({row.sequence->position(), row.length, row.sequence->number.value(), row.token,
                    wish_of(row, likeliest)});
  }
  const auto bytes = std::as_bytes(std::span(said));
  std::vector<std::byte> message(bytes.begin(), bytes.end());
  collective.broadcast(message);
}

void announce_end(Collective& collective) {
  std::vector<std::byte> nothing;
  collective.broadcast(nothing);
}

std::span<const StepRow> Follower::next() {
  collective_.broadcast(message_);
  std::vector<RowMessage> said(message_.size() / sizeof(RowMessage));
  std::copy_n(message_.begin(), said.size() * sizeof(RowMessage),
              std::as_writable_bytes(std::span(said)).begin());
  rows_.clear();
  for (const RowMessage& row : said) {
    if (row.sequence < 0 || row.sequence >= kMostSequences)
      throw Error("rank 0 has announced a sequence " + std::to_string(row.sequence));
    Sequence& s = sequence(row.sequence);
    if (row.position == 0 && s.position() > 0) s.reset();
    if (row.position != s.position() && !s.roll_back(row.position))
      throw Error("rank 0 goes on at position " + std::to_string(row.position) + " of a sequence that has " +
                  std::to_string(s.position()) + " on rank " + std::to_string(collective_.rank()));
    rows_.push_back({&s, row.token, row.wish != Wish::nothing, row.length});
  }
  likeliest_ = said.size() == 1 && said[0].wish == Wish::likeliest;
  if (!rows_.empty()) check_rows(rows_, plan_);
  return rows_;
}

Sequence& Follower::sequence(int32_t number) {
  const auto i = static_cast<size_t>(number);
  if (i >= sequences_.size()) sequences_.resize(i + 1);
  if (!sequences_[i]) sequences_[i] = std::make_unique<Sequence>(plan_);
  return *sequences_[i];
}

}  // namespace lmc
