// A real model, written and compiled in one of very many ways that must all give its logits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lmc {

// Something done to the graph, with a seed of its own, so that leaving out another leaves it as it is.
struct CombinationStep {
  enum class Kind : uint8_t { rewrite, group, reorder, pass };
  Kind kind;
  std::string name;  // of the rewriting or the pass
  unsigned seed;
};

struct SessionChoice {
  int threads = 1;
  int64_t block = 0;
  std::string scheduler = "in-order";
};

struct Combination {
  std::string checkpoint;  // a folder of tests/data/golden
  std::string format;      // --quant, for what reaches min_dim
  int64_t min_dim = 1;
  std::string caches;  // f32 or f16
  std::string target;
  int64_t block = 16;  // most tokens of a step
  std::vector<int32_t> tokens;
  std::vector<CombinationStep> steps;  // in the order they are done: passes in one that they allow
  SessionChoice sessions[2];

  std::string str() const;
};

Combination random_combination(unsigned seed);

// How a combination fared.
struct Outcome {
  std::string wrong;     // "" if everything that must hold does
  std::string graph;     // the graph that was compiled, as far as it got
  bool kernels = false;  // what is wrong is a kernel, compared with its group
  size_t rewritten = 0;  // steps that found a place
};

// Rewritings and passes: the evaluator says the same before and behind them, quantising aside. Kernels: each
// agrees with its group, all logits with the evaluator of the graph, and both sessions have the same bits.
Outcome run(const Combination& c);

// `c` without the steps that it fails without, too.
Combination shrunk(Combination c);

// What reduce leaves in 20 seconds of the graph of an outcome that blames a kernel.
std::string smallest_with_wrong_kernel(const Combination& c, const std::string& graph);

}  // namespace lmc
