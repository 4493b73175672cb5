// What `lmc bench` measures, and the forms it prints it in.
#pragma once

#include <string>
#include <vector>

#include "tools/generate/engine.h"
#include "tools/machine/membw.h"
#include "tools/measure/bench/first_token.h"
#include "tools/measure/bench/speed.h"

namespace lmc {

// A bundle with a number of threads.
struct BenchResult {
  std::string bundle;
  int threads = 0;
  double weight_file_bytes = 0;
  std::vector<SpeedResult> tests;
  ReadBandwidth read;     // the best of all measured with this many threads
  bool in_cache = false;  // the weights fit in the last-level cache, so reads may be the cache's
  FirstToken cold, warm;
  double cold_kept = 0;     // share of the weight file that the page cache kept in the cold run
  int64_t peak_memory = 0;  // bytes

  // Bytes of a step over its median time and the read bandwidth.
  double fraction(const SpeedResult& decode) const;
};

// UsageError where a test exceeds the bundle's context, or the sequences that a step of it takes.
void check_tests(const std::string& bundle, const Plan& plan, const std::vector<SpeedTest>& tests);

// With the other ranks of a bundle for several: then processes are not started and timed, and first tokens
// are 0.
BenchResult bench(const std::string& bundle, int threads, const std::vector<SpeedTest>& tests,
                  int repetitions, const std::string& scheduler, const EngineLoad& load,
                  Collective* ranks = nullptr);

// "md", "csv" or "json".
std::string bench_text(const std::vector<BenchResult>& results, const std::string& format);

}  // namespace lmc
