// Attention of one token at a depth of the cache, with the heads of Gemma 3 1B and GPT-2, caches in f16 and
// in int8.
#include "ir/block_format.h"
#include "tests/bench/kernel_bench.h"

namespace lmc {
namespace {

struct Heads {
  int64_t query, kv, dim;
  DType cache = DType::kv_f16;
};

std::string attention_text(const Heads& h, int64_t context) {
  const auto num = [](int64_t n) { return std::to_string(n); };
  const bool int8 = h.cache == DType::kv_q8_0;
  const std::string body = "  %q, %k, %v = split(%x) {sizes=[" + num(h.query * h.dim) + "," +
                           num(h.kv * h.dim) + "," + num(h.kv * h.dim) + "]}\n  %qh = reshape(%q) {shape=[" +
                           num(h.query) + "," + num(h.dim) + "]}\n  %kh = reshape(%k) {shape=[" + num(h.kv) +
                           "," + num(h.dim) + "]}\n  %vh = reshape(%v) {shape=[" + num(h.kv) + "," +
                           num(h.dim) + "]}\n  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n" +
                           (int8 ? "  %qa = quantize(%qh)\n  %y = attention(%qa" : "  %y = attention(%qh") +
                           ", %kv1, %pos) {scale=0.0625, window=0, softcap=0}\n";
  return step_text((h.query + 2 * h.kv) * h.dim, "", body,
                   ", %kv: " + std::string(dtype_name(h.cache)) + "[" + num(context) + "," + num(h.kv) + "," +
                       num(h.dim) + "]");
}

void attention(benchmark::State& state, const Heads& heads) {
  constexpr int64_t kSteps = 128;  // then the sequence is made anew, untimed: the depth stays about the same
  const int64_t depth = state.range(0);
  GraphProgram& program = program_of(attention_text(heads, depth + kSteps), depth + kSteps);
  Session& session = program.session();
  const auto begin_again = [&] {
    session.reset();
    session.forward(some_ids(depth), Rows::none, {});
  };
  const std::vector<int32_t> id = {1};
  begin_again();
  for (auto _ : state) {
    if (session.position() == depth + kSteps) {
      state.PauseTiming();
      begin_again();
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(session.step(id).data());
  }
  state.counters["cache B/s"] =
      per_second(static_cast<double>(storage_bytes(heads.cache, depth * heads.kv * heads.dim, heads.dim)));
}

void depths(benchmark::internal::Benchmark* b) {
  b->ArgName("depth")->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (int depth : {128, 512, 2048, 8192}) b->Arg(depth);
}

BENCHMARK_CAPTURE(attention, gemma3_1b, Heads{4, 1, 256})->Apply(depths);
BENCHMARK_CAPTURE(attention, gpt2, Heads{12, 12, 64})->Apply(depths);
BENCHMARK_CAPTURE(attention, gemma3_1b_int8, Heads{4, 1, 256, DType::kv_q8_0})->Apply(depths);
BENCHMARK_CAPTURE(attention, gpt2_int8, Heads{12, 12, 64, DType::kv_q8_0})->Apply(depths);

}  // namespace
}  // namespace lmc
