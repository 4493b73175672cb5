#include "runtime/logit_answers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/logit_part.h"

namespace lmc {
namespace {

int32_t draw_here(const LogitDraw& d, std::span<const float> logits, int64_t first) {
  LogitRequest who;
  who.allowed = d.allowed;
  double left = d.left;
  auto named = std::lower_bound(d.named.begin(), d.named.end(), first,
                                [](const KnownLogit& k, int64_t id) { return k.id < id; });
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<int32_t>(first + static_cast<int64_t>(i));
    float l = who.allows(id) ? logits[i] : -std::numeric_limits<float>::infinity();
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

int64_t LogitAnswers::bytes(const LogitRequest& request, size_t rank) const {
  return most_bytes_of_answer(request, first(rank), gather_.bytes[rank] / int64_t{sizeof(float)});
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
    write_answer(requests[i], part, from, std::span(out->all_).subspan(at, out->bytes_[own][i]));
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
      if (size > 0) read_answer(std::span(all_).subspan(at, size), rows_[i], rows_[i].rests[r]);
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
