// lmc eval: logits of given ids, how well the model predicts a text, or how two models differ on it.
#include "ir/eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/sampler.h"
#include "tools/bundle/bundle_weights.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/ids.h"
#include "tools/generate/engine.h"
#include "tools/generate/ranks.h"
#include "tools/measure/eval_compare.h"
#include "tools/measure/eval_text.h"

namespace lmc::eval_command {
namespace {

struct Options {
  std::string bundle, ids, text;
  std::vector<std::string> compare;
  EngineLoad load;
  int threads = 0;
  int64_t block = 0;
  bool json = false;
  bool reference = false;
};

using Sink = std::function<void(int64_t row, std::span<const float> logits)>;

// Calls the sink for every position, in order, with its logits.
void compiled_logits(Engine& engine, const std::vector<int32_t>& ids, const Sink& sink) {
  Session& s = engine.session();
  s.reset();
  const auto vocab = static_cast<size_t>(s.vocab());
  const bool done = s.forward(ids, Rows::all, [&](int64_t first, int64_t rows, const float* logits) {
    for (int64_t r = 0; r < rows; ++r) sink(first + r, {logits + static_cast<size_t>(r) * vocab, vocab});
  });
  if (!done) throw Interrupted();
}

void reference_logits(const Bundle& bundle, const std::vector<int32_t>& ids, const Sink& sink) {
  for (int32_t id : ids) {
    if (id < 0 || id >= bundle.plan.vocab) {
      throw Error("token id " + std::to_string(id) + " is outside the vocabulary of " +
                  std::to_string(bundle.plan.vocab));
    }
  }
  const Graph g = graph_over_packed(bundle);
  const Tensor logits = evaluate(g, step_inputs(ids, true), BundleWeights(bundle)).at(0);
  std::vector<float> row(static_cast<size_t>(logits.last()));
  for (int64_t r = 0; r < logits.rows(); ++r) {
    std::copy_n(logits.row(r), logits.last(), row.begin());
    sink(r, row);
  }
}

void eval_ids(const Options& o, const std::vector<int32_t>& ids,
              const std::function<void(const std::vector<int32_t>&, const Sink&)>& logits) {
  std::vector<int32_t> best;
  std::vector<float> last;
  logits(ids, [&](int64_t, std::span<const float> row) {
    best.push_back(greedy(row));
    last.assign(row.begin(), row.end());
  });
  if (o.json) {
    fmt::print("{{\"argmax\":{},\"last_logits\":{}}}\n", id_list(best), number_list(last));
  } else {
    fmt::print("argmax {}\nlogit of {} at the last position: {:.9g}\n", id_list(best), best.back(),
               last[static_cast<size_t>(best.back())]);
  }
}

// Every token of the text is predicted.
void eval_text(const Options& o, const Engine& engine,
               const std::function<void(const std::vector<int32_t>&, const Sink&)>& logits) {
  const EvalText text = read_eval_text(engine, o.text);
  double total = 0;
  for_each_piece(text, engine.bundle().plan.context,
                 [&](std::span<const int32_t> fed, std::span<const int32_t> predicted) {
                   logits({fed.begin(), fed.end()}, [&](int64_t row, std::span<const float> l) {
                     total += negative_log_likelihood(l, predicted[static_cast<size_t>(row)]);
                   });
                 });
  const double mean = total / static_cast<double>(text.tokens.size());
  if (o.json) {
    fmt::print("{{\"tokens\":{},\"nll\":{:.9g},\"perplexity\":{:.9g}}}\n", text.tokens.size(), mean,
               std::exp(mean));
  } else {
    fmt::print("tokens {} · mean negative log-likelihood {:.5f} nats · perplexity {:.3f}\n",
               text.tokens.size(), mean, std::exp(mean));
  }
}

void compare(const Options& o) {
  if (o.text.empty()) throw UsageError("--compare needs a text: --text FILE");
  const SessionOptions session{.threads = o.threads, .block = o.block};
  Engine a(o.compare.at(0), session, o.load);
  Engine b(o.compare.at(1), session, o.load);
  const ComparedLogits c = compare_bundles(a, b, o.text);
  fmt::print("{}", o.json ? comparison_json(c, o.compare[0], o.compare[1])
                          : comparison_table(c, o.compare[0], o.compare[1]));
}

void run(const Options& o) {
  if (!o.compare.empty()) return compare(o);
  if (o.ids.empty() == o.text.empty()) throw UsageError("eval needs one of --ids and --text");
  const std::string path = o.bundle.empty() ? newest_bundle() : o.bundle;
  std::vector<int32_t> ids;
  if (!o.ids.empty()) ids = parse_ids(o.ids);
  Engine engine(path, {.threads = o.threads, .block = o.block, .collective = ranks_of_this_run(o.threads)},
                o.load);
  if (engine.bundle().plan.ranks > 1 && o.reference)
    throw UsageError("--reference evaluates one graph, and each rank has its own: leave it out");
  if (engine.follows()) return;
  const auto logits = [&](const std::vector<int32_t>& tokens, const Sink& sink) {
    if (o.reference) {
      reference_logits(engine.bundle(), tokens, sink);
    } else {
      compiled_logits(engine, tokens, sink);
    }
  };
  if (!o.ids.empty()) {
    eval_ids(o, ids, logits);
  } else {
    eval_text(o, engine, logits);
  }
}

const RegisterCommand kEval(
    {"eval", "logits of token ids, perplexity of a text, or two bundles compared", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       Flag bundle = flags.option("bundle", o->bundle, "the bundle; the newest *.lmc here if left out")
                         .type_name("BUNDLE");
       add_trust_flag(flags);
       Flag ids = flags.option("--ids", o->ids, "token ids, verbatim: 2,119,166");
       flags.option("--text", o->text, "a text file to predict").type_name("FILE");
       Flag compare =
           flags
               .option("--compare", o->compare, "two bundles: how far B's predictions of --text are from A's")
               .type_name("A B")
               .values(2)
               .excludes(bundle)
               .excludes(ids);
       add_threads_flag(flags, o->threads);
       flags.option("--block", o->block, "most tokens per step; 1 = token by token").range(1, 65536);
       flags.flag("--json", o->json, "print one JSON object and nothing else");
       flags.flag("--reference", o->reference, "use the reference evaluator instead of the kernels")
           .excludes(compare);
       add_load_flags(flags, o->load);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::eval_command
