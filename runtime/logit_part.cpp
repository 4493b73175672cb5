#include "runtime/logit_part.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "runtime/largest.h"

namespace lmc {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// In front of the logits that a rank sends.
struct Head {
  double sum, sum_at_temperature;
  KnownLogit last;
  float most;
  int32_t known;  // logits behind it
  int64_t more;
};

// One rank's part of a row, which is looked at in pieces that stay in the nearest cache.
class Part {
 public:
  Part(const LogitRequest& request, std::span<const float> logits, int64_t first)
      : request_(request), logits_(logits), first_(first) {}

  void write(std::span<std::byte> to) {
    Head head{0, 0, {}, kNever, 0, 0};
    add_named();
    likeliest_from_ = known_.size();
    if (const std::optional<KnownLogit> bad = add_likeliest()) {
      known_ = {*bad};  // rank 0 will refuse it
    } else {
      finish(head);
      if (head.more != 0 && (request_.sum || request_.temperature != 0)) add_up(head);
    }
    head.known = static_cast<int32_t>(known_.size());
    std::memcpy(to.data(), &head, sizeof head);
    if (!known_.empty())
      std::memcpy(to.data() + sizeof head, known_.data(), known_.size() * sizeof(KnownLogit));
  }

 private:
  static constexpr size_t kPiece = 2048;

  void add_named() {
    const auto begin = std::lower_bound(request_.named.begin(), request_.named.end(), first_);
    for (auto it = begin; it != request_.named.end(); ++it) {
      const int64_t i = *it - first_;
      if (i >= static_cast<int64_t>(logits_.size())) break;
      known_.push_back({request_.allows(*it) ? logits_[static_cast<size_t>(i)] : kNever, *it});
      hidden_.push_back(*it);
    }
  }

  // body(piece, id of its first): those that are not allowed are -inf.
  template <typename Body>
  void for_pieces(const Body& body) {
    for (size_t begin = 0; begin < logits_.size(); begin += kPiece) {
      const auto from = logits_.subspan(begin, std::min(kPiece, logits_.size() - begin));
      const std::span to(piece_.data(), from.size());
      std::copy(from.begin(), from.end(), to.begin());
      const int64_t first = first_ + static_cast<int64_t>(begin);
      for (size_t i = 0; i < to.size() && !request_.allowed.empty(); ++i) {
        if (!request_.allows(first + static_cast<int64_t>(i))) to[i] = kNever;
      }
      if (!body(to, first)) return;
    }
  }

  // Are any of `hidden_`, which are in order, in the piece? They are no others.
  bool hide(std::span<float> piece, int64_t first) const {
    const auto begin = std::lower_bound(hidden_.begin(), hidden_.end(), first);
    const auto end = std::lower_bound(begin, hidden_.end(), first + static_cast<int64_t>(piece.size()));
    for (auto it = begin; it != end; ++it) piece[static_cast<size_t>(*it - first)] = kNever;
    return begin != end;
  }

  // The first that no distribution can have, if there is one.
  std::optional<KnownLogit> add_likeliest() {
    std::optional<KnownLogit> bad;
    for_pieces([&](std::span<float> piece, int64_t first) {
      std::optional<float> most = largest(piece);
      if (!most) {
        const auto at = std::find_if(piece.begin(), piece.end(), [](float l) { return !(l <= FLT_MAX); });
        bad = KnownLogit{*at, static_cast<int32_t>(first + (at - piece.begin()))};
        return false;
      }
      if (hide(piece, first)) most = largest(piece);
      add_likeliest_of(piece, first, *most);
      return true;
    });
    return bad;
  }

  void add_likeliest_of(std::span<const float> piece, int64_t first, float most) {
    const auto count = static_cast<size_t>(std::max<int64_t>(request_.count, 1));
    if (more_ && most <= known_[likeliest_from_].logit) return;  // among equals the lower id is there already
    for (size_t i = 0; i < piece.size(); ++i) {
      if (piece[i] == kNever) continue;
      const KnownLogit k{piece[i], static_cast<int32_t>(first + static_cast<int64_t>(i))};
      const auto begin = known_.begin() + static_cast<ptrdiff_t>(likeliest_from_);
      if (known_.size() - likeliest_from_ < count) {
        known_.push_back(k);
        std::push_heap(known_.begin() + static_cast<ptrdiff_t>(likeliest_from_), known_.end(), likelier);
        continue;
      }
      more_ = true;
      if (!likelier(k, *begin)) continue;  // the least likely is on top
      std::pop_heap(begin, known_.end(), likelier);
      known_.back() = k;
      std::push_heap(begin, known_.end(), likelier);
    }
  }

  void finish(Head& head) {
    std::sort_heap(known_.begin() + static_cast<ptrdiff_t>(likeliest_from_), known_.end(), likelier);
    head.more = more_ ? 1 : 0;
    if (known_.size() == likeliest_from_) return;
    head.last = known_.back();
    head.most = known_[likeliest_from_].logit;
  }

  void add_up(Head& head) {
    for (size_t i = likeliest_from_; i < known_.size(); ++i) hidden_.push_back(known_[i].id);
    std::sort(hidden_.begin(), hidden_.end());
    const double most = head.most;
    for_pieces([&](std::span<float> piece, int64_t first) {
      hide(piece, first);
      for (const float l : piece) {
        if (l == kNever) continue;
        if (request_.sum) head.sum += std::exp(l - most);
        if (request_.temperature != 0) head.sum_at_temperature += std::exp((l - most) / request_.temperature);
      }
      return true;
    });
  }

  const LogitRequest& request_;
  const std::span<const float> logits_;
  const int64_t first_;
  std::vector<KnownLogit> known_;  // those that are named, then the likeliest: a heap
  std::vector<int32_t> hidden_;    // ids that are none of the others
  size_t likeliest_from_ = 0;      // of known_
  bool more_ = false;              // than the likeliest
  std::array<float, kPiece> piece_;
};

}  // namespace

int64_t most_bytes_of_answer(const LogitRequest& request, int64_t first, int64_t ids) {
  if (ids == 0) return 0;
  const auto& named = request.named;
  const int64_t own = std::lower_bound(named.begin(), named.end(), first + ids) -
                      std::lower_bound(named.begin(), named.end(), first);
  const int64_t likeliest = std::clamp<int64_t>(request.count, 1, ids);
  return static_cast<int64_t>(sizeof(Head)) + (own + likeliest) * static_cast<int64_t>(sizeof(KnownLogit));
}

void write_answer(const LogitRequest& request, std::span<const float> logits, int64_t first,
                  std::span<std::byte> to) {
  Part(request, logits, first).write(to);
}

void read_answer(std::span<const std::byte> from, SomeLogits& out, SomeLogits::Rest& rest) {
  Head head;
  std::memcpy(&head, from.data(), sizeof head);
  rest.more = head.more != 0;
  rest.last = head.last;
  rest.most = head.most;
  rest.sum = head.sum;
  rest.sum_at_temperature = head.sum_at_temperature;
  const size_t before = out.known.size();
  out.known.resize(before + static_cast<size_t>(head.known));
  if (head.known > 0)
    std::memcpy(&out.known[before], from.data() + sizeof head,
                static_cast<size_t>(head.known) * sizeof(KnownLogit));
}

}  // namespace lmc
