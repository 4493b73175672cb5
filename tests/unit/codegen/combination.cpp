#include "combination.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "codegen/proof/prove.h"
#include "codegen/target.h"
#include "compiled_model.h"
#include "golden_folder.h"
#include "ir/eval.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/debug/reduce.h"
#include "rewrites/rewrites.h"

namespace lmc {
namespace {

using Kind = CombinationStep::Kind;

const std::string kMixed = "q8_0, q4_k and q4_0";

bool rounds_activations(const Combination& c) {
  return c.format.find('q') != std::string::npos || c.caches == "q8_0";
}

// Built in, of the model: other tests of this program may have registered more.
std::vector<const Pass*> passes_of_models() {
  std::vector<const Pass*> out;
  for (const Pass* p : ordered_passes()) {
    if (p->phase() == PassPhase::optimise && !p->name().starts_with("bad-")) out.push_back(p);
  }
  return out;
}

// The passes in any order that they allow.
std::vector<const Pass*> any_order(std::vector<const Pass*> left, Rng& random) {
  const auto names = [](const std::vector<std::string>& list, const Pass* p) {
    return std::find(list.begin(), list.end(), p->name()) != list.end();
  };
  std::vector<const Pass*> out;
  while (!left.empty()) {
    std::vector<const Pass*> ready;
    for (const Pass* p : left) {
      if (std::none_of(left.begin(), left.end(), [&](const Pass* other) {
            return other != p && (names(p->after(), other) || names(other->before(), p));
          }))
        ready.push_back(p);
    }
    out.push_back(pick(random, ready));
    std::erase(left, out.back());
  }
  return out;
}

std::vector<CombinationStep> random_steps(Rng& random) {
  std::vector<CombinationStep> out;
  std::vector<const Pass*> passes;
  for (const Pass* p : passes_of_models()) {
    const bool always = p->name() == "quantize" || p->name() == "kv-format";
    if (always || !one_in(random, p->standard() ? 4 : 2)) passes.push_back(p);
  }
  for (const Pass* p : any_order(passes, random)) out.push_back({Kind::pass, p->name(), 0});
  const auto anywhere = [&](Kind kind, const std::string& name) {
    const size_t at = below(random, out.size() + 1);
    out.insert(out.begin() + static_cast<int64_t>(at), {kind, name, static_cast<unsigned>(random())});
  };
  for (size_t i = 1 + below(random, 6); i > 0; --i) anywhere(Kind::rewrite, pick(random, rewritings()).name);
  for (size_t i = below(random, 4); i > 0; --i) anywhere(Kind::group, "random_" + std::to_string(i));
  if (one_in(random, 2)) anywhere(Kind::reorder, "in another order");
  return out;
}

class Run {
 public:
  explicit Run(const Combination& c) : c_(c), model_(load_model(golden_folder() + "/" + c.checkpoint, {})) {}

  Outcome run() {
    try {
      set_caches();
      before_ = logits();
      for (const CombinationStep& s : c_.steps) {
        if (!step(s)) return std::move(out_);
      }
      if (!keeps("what follows quantize")) return std::move(out_);
      compare_kernels();
    } catch (const std::exception& e) {
      out_.wrong = e.what();
    }
    if (!out_.wrong.empty()) out_.graph = print_graph(model_.graph);
    return std::move(out_);
  }

 private:
  // kv-format rounds what is cached: not the question here.
  void set_caches() { pass("kv-format"); }

  void pass(const std::string& name) {
    PassOptions o;
    o.only = std::vector<std::string>{name};
    const bool mixed = c_.format == kMixed;
    o.settings["quantize"] = {{"format", mixed ? "q8_0" : c_.format},
                              {"min_dim", std::to_string(c_.min_dim)},
                              {"stored", mixed ? "ffn_*=q4_k,attn_*=q4_0" : ""}};
    o.settings["kv-format"] = {{"format", c_.caches}};
    o.repro_path.clear();
    run_passes(model_.graph, o);
  }

  bool step(const CombinationStep& s) {
    Graph& g = model_.graph;
    Rng random(s.seed);
    switch (s.kind) {
      case Kind::pass:
        if (s.name == "quantize") {
          if (!keeps("what precedes quantize")) return false;
          pass(s.name);
          before_ = logits();
          return true;
        }
        pass(s.name);
        return true;
      case Kind::rewrite: {
        const auto& all = rewritings();
        const auto it =
            std::find_if(all.begin(), all.end(), [&](const Rewriting& r) { return r.name == s.name; });
        out_.rewritten += !rewrite_somewhere(g, *it, random).empty();
        break;
      }
      case Kind::group:
        out_.rewritten += !group_somewhere(g, s.name, random).empty();
        break;
      case Kind::reorder:
        g = in_another_order(g, random);
        break;
    }
    verify(g);
    return true;
  }

  Tensor logits() const { return evaluate(model_.graph, step_inputs(c_.tokens, true), *model_.weights)[0]; }

  // The largest difference, relative to the largest logit.
  template <class Numbers>
  static double distance(const Numbers& got, const std::vector<double>& want) {
    if (got.size() != want.size()) return INFINITY;
    double most = 0, scale = 1e-3;
    for (size_t i = 0; i < want.size(); ++i) {
      most = std::max(most, std::fabs(static_cast<double>(got[i]) - want[i]));
      scale = std::max(scale, std::fabs(want[i]));
    }
    return most / scale;
  }

  static std::string scientific(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", x);
    return text;
  }

  // Passes and rewritings are exact but for the order in which doubles are added. What is rounded behind
  // that may fall on the other side.
  bool keeps(const std::string& what) {
    const double allowed = c_.caches == "f16" || rounds_activations(c_) ? 1e-2 : 1e-9;
    const double error = distance(logits().data, before_.data);
    if (error <= allowed) return true;
    out_.wrong = what + " changed the evaluator's logits by " + scientific(error) + " of the largest";
    out_.graph = print_graph(model_.graph);
    return false;
  }

  void compare_kernels() {
    CodegenOptions options;
    options.context = model_.context;
    const Compiled compiled = compile_graph(model_.graph, *model_.weights, {c_.block, c_.target}, options);
    const Proof proof = prove_kernels(compiled.code.graphs, compiled.code.plan, *compiled.kernels, true);
    if (proof.wrong) {
      out_.wrong = proof.wrong->str();
      out_.kernels = true;
      return;
    }
    const auto session = [&](const SessionChoice& s) {
      return compiled.logits(c_.tokens, s.threads, s.block, s.scheduler);
    };
    const std::vector<float> got = session(c_.sessions[0]);
    if (session(c_.sessions[1]) != got) {
      out_.wrong = "the bits depend on threads, blocks or the scheduler";
      return;
    }
    const double error = distance(got, logits().data);
    // Rounding in f32; where something is rounded to fewer bits, a flip of that.
    const double allowed = rounds_activations(c_) ? 5e-2 : c_.caches == "f16" ? 1e-3 : 4e-6;
    if (error > allowed) out_.wrong = "logits are off by " + scientific(error) + " of the largest";
  }

  const Combination& c_;
  Model model_;
  Tensor before_;  // the evaluator's logits, of the import and then behind quantize
  Outcome out_;
};

}  // namespace

std::string Combination::str() const {
  std::string out = checkpoint + ", " + format + " from " + std::to_string(min_dim) + ", caches " + caches +
                    ", " + target + ", blocks of " + std::to_string(block) + ", " +
                    std::to_string(tokens.size()) + " tokens\n";
  for (const CombinationStep& s : steps) {
    out += s.kind == Kind::pass ? "  pass " + s.name
                                : (s.kind == Kind::group ? "  group " : "  ") + s.name + " (seed " +
                                      std::to_string(s.seed) + ")";
    out += "\n";
  }
  for (const SessionChoice& s : sessions)
    out += "  run by " + std::to_string(s.threads) + " threads, blocks of " + std::to_string(s.block) + ", " +
           s.scheduler + "\n";
  return out;
}

Combination random_combination(unsigned seed) {
  Rng random(seed);
  Combination c;
  c.checkpoint = pick(random, golden_names());
  c.format = pick(random, std::vector<std::string>{"none", "none", "none", "bf16", "f16", "q8_0", "q8_0",
                                                   "q4_0", "q4_k", "iq4_nl", "q5_0", "q5_k", "q6_k", kMixed});
  c.min_dim = pick(random, std::vector<int64_t>{1, 1, 80});
  c.caches = one_in(random, 3) ? "f16" : one_in(random, 3) ? "q8_0" : "f32";
  const std::vector<const Target*> targets = targets_here();
  c.target = pick(random, targets)->name();
  c.block = pick(random, std::vector<int64_t>{1, 3, 16, 48});
  const Model m = load_model(golden_folder() + "/" + c.checkpoint, {});
  const auto most = static_cast<size_t>(std::min<int64_t>(m.context, one_in(random, 8) ? 150 : 20));
  for (size_t n = 1 + below(random, most); n > 0; --n)
    c.tokens.push_back(static_cast<int32_t>(below(random, static_cast<size_t>(m.vocab))));
  c.steps = random_steps(random);
  for (SessionChoice& s : c.sessions) {
    s.threads = 1 + static_cast<int>(below(random, 4));
    s.block = pick(random, std::vector<int64_t>{0, 1, 2, 7});
    s.scheduler = pick(random, std::vector<std::string>{"auto", "in-order", "flow-graph", "shuffled"});
  }
  return c;
}

Outcome run(const Combination& c) { return Run(c).run(); }

std::string smallest_with_wrong_kernel(const Combination& c, const std::string& graph) {
  const auto start = std::chrono::steady_clock::now();
  ReduceOptions options;
  options.failure = [&](const Graph& g) -> std::string {
    try {
      PassOptions lowering;
      lowering.repro_path.clear();
      const CodegenResult code = emit(lower(g.clone(), {c.block, c.target}, lowering), {});
      const Proof proof = prove_kernels(code.graphs, code.plan, LoadedKernels(code.object), true);
      return proof.wrong ? "a kernel computes something else than its group" : "";
    } catch (const Error&) {  // cannot be compiled
      return "";
    }
  };
  options.go_on = [&] { return std::chrono::steady_clock::now() - start < std::chrono::seconds(20); };
  return print_graph(reduce(parse_graph(graph), options).graph);
}

Combination shrunk(Combination c) {
  for (size_t i = c.steps.size(); i-- > 0;) {
    Combination fewer = c;
    fewer.steps.erase(fewer.steps.begin() + static_cast<int64_t>(i));
    if (!run(fewer).wrong.empty()) c = std::move(fewer);
  }
  return c;
}

}  // namespace lmc
