// Several ranks give the bits that one gives: golden checkpoints dealt out to 1, 2, 4 and 8 threads of this
// process, each with its own plan, kernels, weights and caches.
#include "passes/engine/ranks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "codegen/proof/prove.h"
#include "compiled_model.h"
#include "runtime/generate_batch.h"
#include "runtime/thread_ranks.h"
#include "tests/unit/codegen/golden_folder.h"
#include "tests/unit/error_of.h"

namespace lmc {
namespace {

struct Wanted {
  std::string format, caches;
  int64_t ranks;
  std::string split = "tensor";
};

class Ranks {
 public:
  Ranks(const std::string& folder, const Wanted& wanted) {
    Model m = load_model(folder, {});
    PassOptions passes;
    passes.settings["quantize"] = {{"format", wanted.format}, {"min_dim", "1"}};
    passes.settings["kv-format"] = {{"format", wanted.caches}};
    passes.settings["shard"]["rules"] = wanted.split;
    passes.repro_path.clear();
    RankPasses dealt = run_passes_for_ranks(m.graph, passes, wanted.ranks);
    CodegenOptions options;
    options.context = m.context;
    for (const Graph& g : dealt.graphs)
      models_.push_back(compile_graph(g, *m.weights, {16, "native"}, options));
  }

  // `run` on rank 0's session, the others behind it.
  void together(const SessionOptions& options, const std::function<void(Session&)>& run) {
    ThreadRanks ranks(static_cast<int64_t>(models_.size()));
    std::vector<std::string> errors(models_.size());
    std::vector<std::thread> threads;
    for (size_t r = 0; r < models_.size(); ++r) {
      threads.emplace_back([&, r] {
        try {
          SessionOptions own = options;
          if (models_.size() > 1) own.collective = &ranks.rank(static_cast<int64_t>(r));
          const auto session = models_[r].session(own);
          r == 0 ? run(*session) : session->follow();
        } catch (const Error& e) {
          errors[r] = e.what();
          ranks.fail("rank " + std::to_string(r) + ": " + e.what());
        }
      });
    }
    for (std::thread& t : threads) t.join();
    for (const std::string& e : errors) EXPECT_EQ(e, "");
  }

  std::vector<float> logits(const std::vector<int32_t>& ids, int64_t block) {
    SessionOptions options;
    options.threads = 1;
    options.block = block;
    std::vector<float> out;
    together(options, [&](Session& s) {
      s.forward(ids, Rows::all, [&](int64_t, int64_t rows, const float* l) {
        out.insert(out.end(), l, l + rows * s.vocab());
      });
    });
    return out;
  }

  const std::vector<Compiled>& models() const { return models_; }

 private:
  std::vector<Compiled> models_;
};

std::vector<int32_t> golden_ids(const std::string& folder) {
  std::ifstream in(folder + "/golden.json");
  return nlohmann::json::parse(in)["input_ids"].get<std::vector<int32_t>>();
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void expect_the_bits_of_one(const std::string& folder, const Wanted& wanted) {
  SCOPED_TRACE(wanted.format + ", " + wanted.split + ", " + std::to_string(wanted.ranks) + " ranks");
  const std::vector<int32_t> ids = golden_ids(folder);
  Ranks one(folder, {wanted.format, wanted.caches, 1, wanted.split});
  Ranks many(folder, wanted);
  const std::vector<float> expected = one.logits(ids, 0);
  for (const int64_t block : {0, 1})
    EXPECT_TRUE(same_bits(many.logits(ids, block), expected)) << "blocks of " << block;
  const Compiled& last = many.models().back();
  const Proof proof = prove_kernels(last.code.graphs, last.code.plan, *last.kernels, true);
  EXPECT_FALSE(proof.wrong.has_value()) << proof.wrong->str();
}

class GoldenRanks : public testing::TestWithParam<std::string> {};

// Each rank is compiled by itself, which takes its time: some checkpoints in one way each. LMC_ALL_BITS=1
// takes all of them, for every number of ranks.
TEST_P(GoldenRanks, give_the_bits_of_one) {
  const std::string folder = golden_folder() + "/" + GetParam();
  if (std::getenv("LMC_ALL_BITS") != nullptr) {
    for (const int64_t n : {2, 4, 8}) {
      expect_the_bits_of_one(folder, {"none", "f32", n});
      expect_the_bits_of_one(folder, {"q8_0", "f16", n});
    }
    expect_the_bits_of_one(folder, {"none", "f32", 2, "layers"});
    expect_the_bits_of_one(folder, {"q8_0", "f16", 2, "layers"});
    return;
  }
  const std::map<std::string, Wanted> some = {
      {"gemma3-a", {"q8_0", "f16", 8}},  {"gpt2-b", {"none", "f32", 4}},
      {"llama-b", {"q4_0", "q8_0", 2}},  {"mixtral-a", {"none", "f32", 2}},
      {"phi3-long", {"q8_0", "f16", 2}}, {"falcon-b", {"none", "f32", 2}},
      {"gptoss-a", {"none", "f32", 2}},  {"qwen3moe-a", {"q8_0", "f16", 2}},
      {"cohere2-a", {"q8_0", "q8_0", 2}}};
  const auto wanted = some.find(GetParam());
  if (wanted == some.end()) GTEST_SKIP() << "LMC_ALL_BITS=1 tries it";
  expect_the_bits_of_one(folder, wanted->second);
  Wanted layers = wanted->second;
  layers.ranks = 2;
  layers.split = "layers";
  expect_the_bits_of_one(folder, layers);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenRanks, testing::ValuesIn(golden_names()), golden_test_name);

// Two texts in one step, one that goes back, one that begins again: caches of the others follow.
TEST(GoldenRanksFollow, sequences_that_go_back_and_begin_again) {
  const std::string folder = golden_folder() + "/gpt2-b";
  const std::vector<int32_t> ids = golden_ids(folder);
  SessionOptions options;
  options.threads = 2;
  const auto run = [&](Session& s, std::vector<float>& out) {
    const auto keep = [&](std::span<const float> logits) {
      out.insert(out.end(), logits.begin(), logits.end());
    };
    Sequence other(s.plan());
    const std::vector<StepRow> both = {{&s.sequence(), ids[0]}, {&other, ids[1]}, {&other, ids[2]}};
    keep(s.step_rows(both).value());
    keep(s.step(std::span(ids).first(4)));
    ASSERT_TRUE(s.roll_back(2));
    keep(s.step(std::span(ids).subspan(3, 2)));
    other.reset();
    const StepRow again{&other, ids[3]};
    keep(s.step_rows({&again, 1}).value());
    out.push_back(static_cast<float>(s.next(std::span(ids).first(1)).value()));
  };
  std::vector<float> one, two;
  for (const std::string split : {"tensor", "layers"}) {
    SCOPED_TRACE(split);
    one.clear();
    two.clear();
    Ranks(folder, {"none", "f32", 1, split}).together(options, [&](Session& s) { run(s, one); });
    Ranks(folder, {"none", "f32", 2, split}).together(options, [&](Session& s) { run(s, two); });
    EXPECT_FALSE(one.empty());
    EXPECT_TRUE(same_bits(one, two));
  }
}

// Where ranks have layers, steps of different texts are under way at once; greedy texts, drawn ones, and some
// that need a second question. Each ends elsewhere, so that places change hands meanwhile.
TEST(GoldenRanksFollow, several_texts_under_way_are_those_of_one_rank) {
  const std::string folder = golden_folder() + "/gpt2-b";
  const std::vector<int32_t> ids = golden_ids(folder);
  std::vector<std::vector<int32_t>> prompts;
  for (size_t i = 0; i + 3 < ids.size() && i < 7; ++i)
    prompts.emplace_back(ids.begin() + static_cast<ptrdiff_t>(i),
                         ids.begin() + static_cast<ptrdiff_t>(i + 1 + i % 3));
  Ranks dealt[] = {{folder, {"none", "f32", 1, "layers"}}, {folder, {"none", "f32", 2, "layers"}}};
  for (const SamplerOptions& sampler :
       {SamplerOptions{}, SamplerOptions{.temperature = 1, .top_k = 9, .frequency_penalty = 0.3, .seed = 4},
        SamplerOptions{.temperature = 1, .top_p = 0.95, .seed = 4},
        SamplerOptions{.temperature = 1, .seed = 5}}) {
    std::vector<std::vector<int32_t>> texts[2];
    for (size_t n : {0, 1}) {
      texts[n].resize(prompts.size());
      SessionOptions options;
      options.threads = 1;
      dealt[n].together(options, [&](Session& s) {
        EXPECT_EQ(s.most_under_way(), n == 0 ? 1 : 2);
        BatchListener listener;
        listener.on_end = [&](size_t i, const Generated& g) { texts[n][i] = g.ids; };
        BatchDetails details;
        for (size_t i = 0; i < prompts.size(); ++i)
          details.max_tokens.push_back(3 + static_cast<int64_t>(i * 2));
        GenerateOptions generate;
        generate.sampler = sampler;
        EXPECT_TRUE(generate_batch(s, prompts, generate, 4, listener, details));
      });
    }
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_EQ(texts[0].back().size(), 3 + 2 * (prompts.size() - 1));
  }
}

TEST(GoldenRanksFollow, a_plan_for_two_refuses_to_run_alone) {
  const Ranks ranks(golden_folder() + "/gpt2-b", {"none", "f32", 2});
  EXPECT_EQ(error_of([&] { ranks.models()[1].session(); }),
            "the plan is that of rank 1 of 2, but this is rank 0 of 1");
}

}  // namespace
}  // namespace lmc
