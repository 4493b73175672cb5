// What choosing the next token of a text takes, from logits of a large vocabulary: a step of the batcher does
// so for each of its texts.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "runtime/random.h"
#include "runtime/sampler.h"
#include "runtime/serving/logprobs.h"

namespace lmc {
namespace {

constexpr size_t kVocab = 262144;

// Eight rows, so that they come from memory as a step's do.
std::vector<std::vector<float>> rows() {
  Random random(1);
  std::vector<std::vector<float>> out(8);
  for (auto& row : out) {
    for (size_t i = 0; i < kVocab; ++i) {
      const double normal =
          std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(6.283185307 * random.uniform());
      row.push_back(static_cast<float>(3 * normal));
    }
  }
  return out;
}

void choose(benchmark::State& state, const SamplerOptions& options) {
  const auto logits = rows();
  Sampler sampler(options);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sampler.sample(logits[i++ % logits.size()]));
}

// Behind a text of 100,000 tokens, of 5,000 kinds.
void choose_late(benchmark::State& state, const SamplerOptions& options) {
  const auto logits = rows();
  Random random(2);
  std::vector<int32_t> text(100000);
  for (int32_t& id : text) id = static_cast<int32_t>(random.uniform() * 5000) * 50;
  Sampler sampler(options);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(sampler.sample(logits[i++ % logits.size()], text, text.size()));
  }
}

void logprobs(benchmark::State& state, int64_t top) {
  const auto logits = rows();
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(choice_of(7, logits[i++ % logits.size()], top));
}

BENCHMARK_CAPTURE(choose, greedy, SamplerOptions{})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose, top_k_40,
                  SamplerOptions{.temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose, temperature, SamplerOptions{.temperature = 1})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose, top_p, SamplerOptions{.temperature = 1, .top_p = 0.9})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose, penalty, SamplerOptions{.repetition_penalty = 1.1})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose_late, penalties,
                  SamplerOptions{.repetition_penalty = 1.1, .frequency_penalty = 0.1, .repetition_window = 0})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(logprobs, none, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(logprobs, five, 5)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lmc
