// A model compiled in memory, for tests that run it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "models/load/model.h"
#include "passes/engine/lowering.h"
#include "passes/engine/manager.h"
#include "runtime/session.h"

namespace lmc {

struct Compiled {
  CodegenResult code;
  std::unique_ptr<LoadedKernels> kernels;
  std::vector<std::vector<std::byte>> memory;
  std::vector<const void*> weights;

  std::vector<KernelFn> functions(const StepPlan& step) const {
    std::vector<KernelFn> out;
    for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels->find(s.symbol)));
    return out;
  }

  std::unique_ptr<Session> session(const SessionOptions& options = {}) const {
    const PlanKernels all = {functions(code.plan.decode), functions(code.plan.prefill),
                             functions(code.plan.hidden), functions(code.plan.draft)};
    return std::make_unique<Session>(code.plan, all, weights, options);
  }

  std::vector<float> logits(const std::vector<int32_t>& ids, int threads, int64_t block,
                            const std::string& scheduler) const {
    SessionOptions o;
    o.threads = threads;
    o.block = block;
    o.scheduler = scheduler;
    std::vector<float> out;
    session(o)->forward(ids, Rows::all, [&](int64_t, int64_t rows, const float* l) {
      out.insert(out.end(), l, l + rows * code.plan.vocab);
    });
    return out;
  }

  std::vector<int32_t> greedy(std::vector<int32_t> next, size_t tokens) const {
    const auto s = session();
    std::vector<int32_t> out;
    while (out.size() < tokens) {
      const auto logits = s->step(next);
      next = {static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
      out.push_back(next[0]);
    }
    return out;
  }
};

// `g` behind the passes of the model.
inline Compiled compile_graph(const Graph& g, const WeightSource& weights, const LoweringOptions& wanted,
                              CodegenOptions options) {
  if (const char* folder = std::getenv("LMC_TEST_CACHE")) options.cache_folder = folder;
  PassOptions lowering;
  lowering.repro_path.clear();
  Compiled c;
  c.code = emit(lower(g.clone(), wanted, lowering), options);
  c.kernels = std::make_unique<LoadedKernels>(c.code.object);
  const WeightPacker packer(c.code.graphs.model, c.code.packs, weights);
  for (size_t w = 0; w < packer.weights(); ++w) {
    c.memory.push_back(packer.pack(w, 64));
    c.weights.push_back(c.memory.back().data());
  }
  return c;
}

// `caches`: their format; "": what lmc compile gives them.
inline Compiled compile(Model& m, const std::string& quant, int64_t min_dim,
                        const std::string& target = "native", const std::string& caches = "") {
  PassOptions passes;
  passes.settings["quantize"] = {{"format", quant}, {"min_dim", std::to_string(min_dim)}};
  passes.settings["kv-format"] = {{"format", !caches.empty() ? caches : quant == "none" ? "f32" : "f16"}};
  passes.repro_path.clear();
  run_passes(m.graph, passes);
  CodegenOptions options;
  options.context = m.context;
  return compile_graph(m.graph, *m.weights, {16, target}, options);
}

}  // namespace lmc
