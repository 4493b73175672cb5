#include "runtime/logit_answers.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

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

// One rank's part of a row.
class Part {
 public:
  Part(const LogitRequest& request, std::span<const float> logits, int64_t first)
      : request_(request), logits_(logits), first_(first) {}

  void write(std::span<std::byte> to) {
    Head head{0, 0, {}, kNever, 0, 0};
    if (const std::optional<KnownLogit> bad = look_for_no_number()) {
      known_ = {*bad};  // rank 0 will refuse it
    } else {
      add_named();
      hide_others();
      add_likeliest(head);
      if (request_.sum || request_.temperature != 0) add_up(head);
    }
    head.known = static_cast<int32_t>(known_.size());
    std::memcpy(to.data(), &head, sizeof head);
    if (!known_.empty())
      std::memcpy(to.data() + sizeof head, known_.data(), known_.size() * sizeof(KnownLogit));
  }

 private:
  // The first that no distribution can have.
  std::optional<KnownLogit> look_for_no_number() const {
    for (size_t i = 0; i < logits_.size(); ++i) {
      const int64_t id = first_ + static_cast<int64_t>(i);
      if (!(logits_[i] <= FLT_MAX) && request_.allows(id))
        return KnownLogit{logits_[i], static_cast<int32_t>(id)};
    }
    return std::nullopt;
  }

  void add_named() {
    const auto begin = std::lower_bound(request_.named.begin(), request_.named.end(), first_);
    for (auto it = begin; it != request_.named.end(); ++it) {
      const int64_t i = *it - first_;
      if (i >= static_cast<int64_t>(logits_.size())) break;
      known_.push_back({request_.allows(*it) ? logits_[static_cast<size_t>(i)] : kNever, *it});
    }
  }

  // Those that are named, and those that are not allowed, are none of the others.
  void hide_others() {
    others_.assign(logits_.begin(), logits_.end());
    for (const KnownLogit& k : known_) others_[static_cast<size_t>(k.id - first_)] = kNever;
    if (request_.allowed.empty()) return;
    for (size_t i = 0; i < others_.size(); ++i) {
      if (!request_.allows(first_ + static_cast<int64_t>(i))) others_[i] = kNever;
    }
  }

  void add_likeliest(Head& head) {
    const size_t named = known_.size();
    const auto count = static_cast<size_t>(std::max<int64_t>(request_.count, 1));
    int64_t finite = 0;
    for (size_t i = 0; i < others_.size(); ++i) {
      if (others_[i] == kNever) continue;
      ++finite;
      const KnownLogit k{others_[i], static_cast<int32_t>(first_ + static_cast<int64_t>(i))};
      const auto begin = known_.begin() + static_cast<ptrdiff_t>(named);
      if (known_.size() - named < count) {
        known_.push_back(k);
        std::push_heap(known_.begin() + static_cast<ptrdiff_t>(named), known_.end(), likelier);
      } else if (likelier(k, *begin)) {  // the least likely is on top
        std::pop_heap(begin, known_.end(), likelier);
        known_.back() = k;
        std::push_heap(begin, known_.end(), likelier);
      }
    }
    std::sort_heap(known_.begin() + static_cast<ptrdiff_t>(named), known_.end(), likelier);
    const auto likeliest = static_cast<int64_t>(known_.size() - named);
    head.more = finite > likeliest ? 1 : 0;
    if (likeliest == 0) return;
    head.last = known_.back();
    head.most = known_[named].logit;
    likeliest_from_ = named;
  }

  void add_up(Head& head) {
    if (head.more == 0) return;
    for (size_t i = likeliest_from_; i < known_.size(); ++i)
      others_[static_cast<size_t>(known_[i].id - first_)] = kNever;
    const double most = head.most;
    for (const float l : others_) {
      if (l == kNever) continue;
      if (request_.sum) head.sum += std::exp(l - most);
      if (request_.temperature != 0) head.sum_at_temperature += std::exp((l - most) / request_.temperature);
    }
  }

  const LogitRequest& request_;
  const std::span<const float> logits_;
  const int64_t first_;
  std::vector<KnownLogit> known_;  // those that are named, then the likeliest
  size_t likeliest_from_ = 0;
  std::vector<float> others_;
};

void read(std::span<const std::byte> from, SomeLogits& out, SomeLogits::Rest& rest) {
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

int32_t draw_here(const LogitDraw& d, std::span<const float> logits, int64_t first) {
  LogitRequest who;
  who.allowed = d.allowed;
  double left = d.left;
  auto named = std::lower_bound(d.named.begin(), d.named.end(), first,
                                [](const KnownLogit& k, int64_t id) { return k.id < id; });
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<int32_t>(first + static_cast<int64_t>(i));
    float l = who.allows(id) ? logits[i] : kNever;
    if (named != d.named.end() && named->id == id) l = (named++)->logit;
    const double weight = std::exp((l - d.top) / d.temperature);
    if (weight == 0) continue;
    if (left < weight - d.margin) return left > d.margin || d.left == 0 ? id : -1;
    if (left < weight + d.margin) return -1;
    left -= weight;
  }
  return -1;
}

}  // namespace

int64_t LogitAnswers::first(size_t rank) const {
  return std::accumulate(gather_.bytes.begin(), gather_.bytes.begin() + static_cast<ptrdiff_t>(rank),
                         int64_t{0}) /
         int64_t{sizeof(float)};
}

// All that it can come to, so that every rank knows what the others send.
int64_t LogitAnswers::bytes(const LogitRequest& request, size_t rank) const {
  const int64_t from = first(rank), ids = gather_.bytes[rank] / int64_t{sizeof(float)};
  if (ids == 0) return 0;
  const auto& named = request.named;
  const int64_t own = std::lower_bound(named.begin(), named.end(), from + ids) -
                      std::lower_bound(named.begin(), named.end(), from);
  const int64_t likeliest = std::clamp<int64_t>(request.count, 1, ids);
  return static_cast<int64_t>(sizeof(Head)) + (own + likeliest) * static_cast<int64_t>(sizeof(KnownLogit));
}

std::vector<SomeLogits> LogitAnswers::answer(std::span<const LogitRequest> requests,
                                             const float* logits) const {
  return begin(requests, logits)->end();
}

std::unique_ptr<LogitAnswers::UnderWay> LogitAnswers::begin(std::span<const LogitRequest> requests,
                                                            const float* logits) const {
  const size_t ranks = gather_.bytes.size(), own = static_cast<size_t>(gather_.rank);
  auto out = std::make_unique<UnderWay>();
  out->gets_ = own == 0;
  out->rows_.resize(requests.size());
  out->bytes_.resize(ranks);
  PlanGather sent{std::vector<int64_t>(ranks, 0), gather_.rank, 0, {0}};
  for (size_t r = 0; r < ranks; ++r) {
    for (size_t i = 0; i < requests.size(); ++i) {
      const int64_t size = bytes(requests[i], r);
      out->bytes_[r].push_back(static_cast<size_t>(size));
      sent.bytes[r] += size;
      SomeLogits::Rest& rest = out->rows_[i].rests.emplace_back();
      rest.first = first(r);
      rest.end = rest.first + gather_.bytes[r] / int64_t{sizeof(float)};
    }
    sent.stride += sent.bytes[r];
  }
  out->all_.resize(static_cast<size_t>(sent.stride));
  auto at =
      static_cast<size_t>(std::accumulate(sent.bytes.begin(), sent.bytes.begin() + gather_.rank, int64_t{0}));
  const int64_t from = first(own);
  const auto ids = static_cast<size_t>(gather_.bytes[own]) / sizeof(float);
  for (size_t i = 0; i < requests.size() && ids > 0; ++i) {
    const std::span part(logits + static_cast<int64_t>(i) * vocab() + from, ids);
    Part(requests[i], part, from).write(std::span(out->all_).subspan(at, out->bytes_[own][i]));
    at += out->bytes_[own][i];
  }
  out->gathering_ = collective_.begin_gather(out->all_.data(), 1, sent);
  return out;
}

std::vector<SomeLogits> LogitAnswers::UnderWay::end() {
  gathering_->end();
  if (!gets_) return {};
  size_t at = 0;
  for (size_t r = 0; r < bytes_.size(); ++r) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      const size_t size = bytes_[r][i];
      if (size > 0) read(std::span(all_).subspan(at, size), rows_[i], rows_[i].rests[r]);
      at += size;
    }
  }
  return std::move(rows_);
}

int32_t LogitAnswers::draw(const LogitDraw& d, const float* logits) const {
  const size_t ranks = gather_.bytes.size(), own = static_cast<size_t>(gather_.rank);
  std::vector<int32_t> ids(ranks, -1);
  if (gather_.rank == d.rank) {
    const std::span part(logits + d.row * vocab() + first(own),
                         static_cast<size_t>(gather_.bytes[own]) / sizeof(float));
    ids[own] = draw_here(d, part, first(own));
  }
  PlanGather sent{std::vector<int64_t>(ranks, 0), gather_.rank, int64_t{sizeof(int32_t)}, {0}};
  sent.bytes[static_cast<size_t>(d.rank)] = sizeof(int32_t);
  int32_t id = ids[static_cast<size_t>(d.rank)];
  collective_.all_gather(reinterpret_cast<std::byte*>(&id), 1, sent);
  return id;
}

void LogitAnswers::complete(float* logits, int64_t rows) const {
  collective_.all_gather(reinterpret_cast<std::byte*>(logits), rows, gather_);
}

}  // namespace lmc
