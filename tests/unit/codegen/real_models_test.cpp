// Real models in combinations that nobody chose: rewritten without changing what they mean, grouped at
// random, with some of the passes in some order, in some format, for some target, against the evaluator.
// LMC_PROPERTY_ROUNDS=1000 build/release/bin/test_codegen --gtest_filter='RealModels*' for a longer run,
// LMC_PROPERTY_SEED moves on to other combinations. The first failure is printed as what shrinking leaves
// of it, too.
#include <gtest/gtest.h>

#include <utility>

#include "combination.h"
#include "tests/unit/from_environment.h"

namespace lmc {
namespace {

constexpr unsigned kQuickRounds = 10;

TEST(RealModelsInDepth, give_their_logits_however_they_are_written_and_compiled) {
  const unsigned first = from_environment("LMC_PROPERTY_SEED", 1);
  const unsigned rounds = from_environment("LMC_PROPERTY_ROUNDS", kQuickRounds);
  size_t rewritten = 0;
  bool shrunk_one = false;
  for (unsigned seed = first; seed < first + rounds; ++seed) {
    const Combination c = random_combination(seed);
    const Outcome outcome = run(c);
    rewritten += outcome.rewritten;
    if (outcome.wrong.empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << outcome.wrong << "\n" << c.str();
    if (std::exchange(shrunk_one, true)) continue;  // others are often the same
    const Combination small = shrunk(c);
    const Outcome left = run(small);
    ADD_FAILURE() << "what is left of it: " << left.wrong << "\n"
                  << small.str()
                  << (left.kernels ? smallest_with_wrong_kernel(small, left.graph) : left.graph);
  }
  EXPECT_GT(rewritten, rounds) << "hardly any rewriting found a place";
}

}  // namespace
}  // namespace lmc
