// What the kernel benchmarks share.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/threads.h"
#include "tools/machine/graph_program.h"

namespace lmc {

// Compiles `text`, or returns the program of the last call: the library calls a benchmark several times to
// find how often to repeat it.
inline GraphProgram& program_of(const std::string& text, int64_t context) {
  static std::string last;
  static std::unique_ptr<GraphProgram> program;
  const std::string key = std::to_string(context) + text;
  if (last != key) {
    program.reset();  // first: both may be large
    program = std::make_unique<GraphProgram>(text, context, default_threads());
    last = key;
  }
  return *program;
}

inline std::vector<int32_t> some_ids(int64_t count) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(i % 16));
  return ids;
}

// Steps of `tokens` tokens from an empty sequence.
inline void run_steps(benchmark::State& state, GraphProgram& program, int64_t tokens) {
  const std::vector<int32_t> ids = some_ids(tokens);
  for (auto _ : state) {
    program.session().reset();
    benchmark::DoNotOptimize(program.session().step(ids).data());
  }
}

inline benchmark::Counter per_second(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}

}  // namespace lmc
