// What one who chooses a token looks at of its logits, where several ranks have a part of them each: the
// likeliest, some that are named, and what the others add up to.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lmc {

// Of one row. Every rank answers from its own part (logit_answers.h).
struct LogitRequest {
  int64_t count = 1;                // likeliest ids of each rank, beside those that are named
  double temperature = 0;           // not 0: of the others, the sum of exp(logit / temperature), too
  bool sum = false;                 // … and that of exp(logit)
  std::vector<int32_t> named = {};  // ids whose logits will be changed before the choice; ascending
  // The ids that count at all, as IdSet::bits(), of whole bytes of the vocabulary; empty: all.
  std::vector<uint8_t> allowed = {};

  bool allows(int64_t id) const {
    return allowed.empty() || (allowed[static_cast<size_t>(id / 8)] >> (id % 8) & 1) != 0;
  }
};

struct KnownLogit {
  float logit;
  int32_t id;
};
// The likelier first; among equals the lower id.
inline bool likelier(const KnownLogit& a, const KnownLogit& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

struct SomeLogits {
  // What a rank has beside the ids that are known.
  struct Rest {
    int64_t first = 0, end = 0;  // ids of the rank's part
    bool more = false;           // other finite logits
    KnownLogit last{};           // where there are more: all of them are less likely than this one, known too
    float most = 0;              // its largest logit that is not named
    double sum = 0, sum_at_temperature = 0;  // over the others, of exp(logit - most), divided first
  };
  std::vector<KnownLogit> known;  // -inf: not allowed
  std::vector<Rest> rests;        // by rank; in the order of ids

  // Is everything that is not known less likely?
  bool is_certain(const KnownLogit& k) const {
    for (const Rest& r : rests) {
      if (r.more && likelier(r.last, k)) return false;
    }
    return true;
  }
  // No logit that is not known is larger.
  float bound() const {
    float out = -std::numeric_limits<float>::infinity();
    for (const Rest& r : rests) {
      if (r.more && r.last.logit > out) out = r.last.logit;
    }
    return out;
  }
  // That of the part with so many ids in front.
  std::size_t rank_of(int32_t id) const {
    std::size_t r = 0;
    while (r + 1 < rests.size() && id >= rests[r].end) ++r;
    return r;
  }
};

// On a rank, which of its ids a draw falls on: ids in order, `left` of the sum of exp((logit - top) /
// temperature) away from the part's beginning.
struct LogitDraw {
  int64_t row = 0, rank = 0;
  double temperature = 1, top = 0, left = 0;
  double margin = 0;                   // nearer to a border between two ids nothing is certain
  std::vector<KnownLogit> named = {};  // their logits as they have become; ascending ids
  std::vector<uint8_t> allowed = {};   // LogitRequest::allowed
};

}  // namespace lmc
