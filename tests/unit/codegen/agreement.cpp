#include "agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "codegen/proof/prove.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "runtime/sampler.h"
#include "runtime/session.h"
#include "seeded_weights.h"
#include "side_by_side.h"

namespace lmc {
namespace {

// Where only some ids may be chosen, these have the bits that they always have and others -inf, and the
// likeliest is the likeliest of these.
// Steps of 1, 2, 3 … rows, of which every third is not asked about.
void expect_likeliest_of_rows(Session& s, std::span<const int32_t> ids, std::span<const float> logits) {
  const auto vocab = static_cast<size_t>(s.vocab());
  s.reset();
  for (size_t at = 0, count = 1; at < ids.size(); at += count++) {
    count = std::min(count, ids.size() - at);
    std::vector<StepRow> rows;
    std::vector<int32_t> want;
    for (size_t i = at; i < at + count; ++i) {
      rows.push_back({&s.sequence(), ids[i], i % 3 != 2});
      if (rows.back().logits) want.push_back(greedy(logits.subspan(i * vocab, vocab)));
    }
    const auto found = s.likeliest(rows);
    ASSERT_TRUE(found.has_value());
    std::vector<int32_t> got;
    for (const Likeliest& l : *found) got.push_back(l.token());
    EXPECT_EQ(got, want) << "from row " << at << " on";
  }
}

void expect_allowed_alike(Session& s, std::span<const int32_t> ids, std::span<const float> all) {
  const auto vocab = static_cast<size_t>(s.vocab());
  for (const int64_t every : {2, 3, 7}) {
    IdSet some(s.vocab());
    for (int64_t id = 1; id < s.vocab(); id += every) some.add(id, id);
    if (some.size() == 0) continue;
    s.reset();
    s.set_allowed(&some);
    std::vector<float> want(all.begin(), all.end()), got;
    some.restrict(want);
    s.forward(ids, Rows::all,
              [&](int64_t, int64_t rows, const float* l) { got.insert(got.end(), l, l + rows * s.vocab()); });
    EXPECT_EQ(got, want);
    s.reset();
    for (size_t i = 0; i < ids.size(); ++i)
      EXPECT_EQ(s.next(ids.subspan(i, 1)), greedy(std::span(want).subspan(i * vocab, vocab)));
    s.set_allowed(nullptr);
  }
}

}  // namespace

void expect_agreement(const std::string& text, int64_t tokens, double tolerance, const std::string& target,
                      const PassOptions& passes) {
  SCOPED_TRACE("T=" + std::to_string(tokens) + "\n" + text);
  Graph g = parse_graph(text);
  const SeededWeights source(g);
  std::vector<int32_t> ids;
  const int64_t limit =
      std::min<int64_t>(11, g.type(g.outputs()[0]).last());  // a vocabulary as wide as the logits
  for (int64_t i = 0; i < tokens; ++i) ids.push_back(static_cast<int32_t>(i * 7 % limit));
  const Tensor want = evaluate(g, step_inputs(ids, true), source)[0];

  CodegenOptions options;
  options.context = 256;
  if (const char* folder = std::getenv("LMC_TEST_CACHE")) options.cache_folder = folder;
  const CodegenResult code = emit(lower(std::move(g), {48, target}, passes), options);
  const LoadedKernels kernels(code.object);
  const Proof proof = prove_kernels(code.graphs, code.plan, kernels, true);
  EXPECT_FALSE(proof.wrong.has_value()) << proof.wrong->str();
  const WeightPacker packer(code.graphs.model, code.packs, source);
  std::vector<std::vector<std::byte>> memory;
  std::vector<const void*> weights;
  for (size_t w = 0; w < packer.weights(); ++w) {
    memory.push_back(packer.pack(w, 64));
    weights.push_back(memory.back().data());
  }
  const auto functions = [&](const StepPlan& step) {
    std::vector<KernelFn> out;
    for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels.find(s.symbol)));
    return out;
  };
  std::vector<float> first;
  for (int64_t block : {int64_t{0}, int64_t{1}, int64_t{13}}) {
    SessionOptions o;
    o.threads = 1;
    o.block = block;
    o.scheduler = "shuffled";
    Session s(code.plan, {functions(code.plan.decode), functions(code.plan.prefill)}, weights, o);
    std::vector<float> got;
    s.forward(ids, Rows::all, [&](int64_t, int64_t rows, const float* l) {
      got.insert(got.end(), l, l + rows * code.plan.vocab);
    });
    ASSERT_EQ(got.size(), want.data.size());
    if (first.empty()) first = got;
    EXPECT_EQ(first, got) << "the bits depend on the block";
    if (block == 0) {
      o.threads = 3;
      o.scheduler = "flow-graph";
      Session several(code.plan, {functions(code.plan.decode), functions(code.plan.prefill)}, weights, o);
      EXPECT_EQ(first, all_logits(several, ids)) << "the bits depend on the threads";
    }
    expect_allowed_alike(s, ids, first);
    if (code.plan.decode.argmax_stage < 0) continue;
    // Asked for the likeliest token alone, a step names the same without writing logits.
    s.reset();
    const auto vocab = static_cast<size_t>(code.plan.vocab);
    for (size_t i = 0; i < ids.size(); ++i)
      EXPECT_EQ(s.next(std::span(ids).subspan(i, 1)), greedy(std::span(first).subspan(i * vocab, vocab)));
    expect_likeliest_of_rows(s, ids, first);
  }
  Session s(code.plan, {functions(code.plan.decode), functions(code.plan.prefill)}, weights, {.threads = 1});
  std::vector<std::vector<int32_t>> texts = {ids};
  for (int64_t length : {tokens / 2, int64_t{1}, tokens - 1, tokens / 3, tokens}) {
    auto& text = texts.emplace_back();
    for (int64_t i = 0; i < std::max<int64_t>(length, 1); ++i)
      text.push_back(static_cast<int32_t>((i * 5 + static_cast<int64_t>(texts.size())) % limit));
  }
  std::vector<std::vector<float>> alone;
  for (const auto& text : texts) alone.push_back(all_logits(s, text));
  expect_alone_and_side_by_side_alike(s, texts, alone, 4);
  double scale = 1e-3;
  for (double v : want.data) scale = std::max(scale, std::fabs(v));
  for (size_t i = 0; i < first.size(); ++i)
    ASSERT_NEAR(first[i], want.data[i], tolerance * scale) << "element " << i;
}

std::string num(int64_t n) { return std::to_string(n); }

std::string model(int64_t dim, const std::string& weights, const std::string& body, const std::string& result,
                  const std::string& caches) {
  return "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]" + caches +
         ") {\n  weight @embed : f32[11," + num(dim) + "]\n" + weights +
         "  %x = embedding(%tokens, @embed)\n" + body + "  %r = select_rows(" + result + ", %out_rows)\n" +
         "  %logits = scale(%r) {by=1.5}\n  return %logits\n}\n";
}

}  // namespace lmc
