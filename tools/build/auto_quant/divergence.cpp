#include "tools/build/auto_quant/divergence.h"

#include <cmath>
#include <numeric>

#include "tools/cli/console.h"
#include "tools/measure/logit_comparison.h"
#include "tools/system/jobs.h"

namespace lmc {
namespace {

void feed(Session& session, const std::vector<int32_t>& tokens, const Session::Sink& sink) {
  session.reset();
  if (!session.forward(tokens, Rows::all, sink)) throw Interrupted();
}

}  // namespace

ReferencePredictions::ReferencePredictions(Session& unquantised, Sequences sequences)
    : sequences_(std::move(sequences)) {
  const auto vocab = static_cast<size_t>(unquantised.vocab());
  for (const auto& tokens : sequences_) {
    auto& kept = logits_.emplace_back();
    auto& sums = sums_.emplace_back();
    kept.reserve(tokens.size() * vocab);
    feed(unquantised, tokens, [&](int64_t, int64_t rows, const float* logits) {
      kept.insert(kept.end(), logits, logits + static_cast<size_t>(rows) * vocab);
      for (int64_t r = 0; r < rows; ++r)
        sums.push_back(log_sum({logits + static_cast<size_t>(r) * vocab, vocab}));
    });
  }
}

double ReferencePredictions::kl(Session& model, size_t sequences) const {
  const auto vocab = static_cast<size_t>(model.vocab());
  std::vector<double> all;
  for (size_t s = 0; s < sequences; ++s) {
    feed(model, sequences_[s], [&](int64_t first, int64_t rows, const float* logits) {
      std::vector<double> kl(static_cast<size_t>(rows));
      run_jobs(model.threads(), kl.size(), [&](size_t r) {
        const size_t row = static_cast<size_t>(first) + r;
        const std::span now(logits + r * vocab, vocab);
        kl[r] = kl_divergence(std::span(logits_[s]).subspan(row * vocab, vocab), sums_[s][row], now,
                              log_sum(now));
      });
      all.insert(all.end(), kl.begin(), kl.end());
    });
  }
  const double sum = std::accumulate(all.begin(), all.end(), 0.0);
  if (!std::isfinite(sum)) throw Error("--quant auto: the logits are no distribution");
  return sum / static_cast<double>(all.size());
}

size_t ReferencePredictions::tokens() const {
  size_t sum = 0;
  for (const auto& tokens : sequences_) sum += tokens.size();
  return sum;
}

}  // namespace lmc
