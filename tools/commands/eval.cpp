// lmc eval: logits of given ids, or how well the model predicts a text.
#include "ir/eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/sampler.h"
#include "tools/bundle_weights.h"
#include "tools/command.h"
#include "tools/console.h"
#include "tools/engine.h"

namespace lmc {
namespace {

struct Options {
  std::string bundle, ids, text;
  LoadOptions load;
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

double negative_log_likelihood(std::span<const float> logits, int32_t id) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float l : logits) sum += std::exp(static_cast<double>(l) - top);
  return top + std::log(sum) - static_cast<double>(logits[static_cast<size_t>(id)]);
}

// Pieces of context - 1 tokens, each from nothing with the bos token in front; every token of a piece is
// predicted.
void eval_text(const Options& o, const Bundle& bundle, const Tokenizer& tokenizer,
               const std::function<void(const std::vector<int32_t>&, const Sink&)>& logits) {
  if (bundle.info.bos_ids.empty())
    throw Error(bundle.path + ": its checkpoint names no bos token, which --text starts with");
  const std::vector<int32_t> tokens = tokenizer.encode(read_file(o.text), false);
  if (tokens.empty()) throw Error(o.text + ": holds no tokens");
  const auto piece = static_cast<size_t>(std::max<int64_t>(bundle.plan.context - 1, 1));
  double total = 0;
  Progress progress("evaluating");
  for (size_t at = 0; at < tokens.size(); at += piece) {
    const size_t n = std::min(piece, tokens.size() - at);
    std::vector<int32_t> ids{bundle.info.bos_ids[0]};
    ids.insert(ids.end(), tokens.begin() + static_cast<ptrdiff_t>(at),
               tokens.begin() + static_cast<ptrdiff_t>(at + n - 1));
    logits(ids, [&](int64_t row, std::span<const float> l) {
      total += negative_log_likelihood(l, tokens[at + static_cast<size_t>(row)]);
    });
    progress.update(static_cast<int64_t>(at + n), static_cast<int64_t>(tokens.size()));
  }
  const double mean = total / static_cast<double>(tokens.size());
  if (o.json) {
    fmt::print("{{\"tokens\":{},\"nll\":{:.9g},\"perplexity\":{:.9g}}}\n", tokens.size(), mean,
               std::exp(mean));
  } else {
    fmt::print("tokens {} · mean negative log-likelihood {:.5f} nats · perplexity {:.3f}\n", tokens.size(),
               mean, std::exp(mean));
  }
}

void run(const Options& o) {
  if (o.ids.empty() == o.text.empty()) throw UsageError("eval needs one of --ids and --text");
  const std::string path = o.bundle.empty() ? newest_bundle() : o.bundle;
  std::vector<int32_t> ids;
  if (!o.ids.empty()) ids = parse_ids(o.ids);
  Engine engine(path, {.threads = o.threads, .block = o.block}, o.load);
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
    eval_text(o, engine.bundle(), engine.tokenizer(), logits);
  }
}

const RegisterCommand kEval({"eval", "logits of token ids, or perplexity of a text", [](CLI::App& app) {
                               auto o = std::make_shared<Options>();
                               app.add_option("bundle", o->bundle,
                                              "the bundle; the newest *.lmc here if left out");
                               app.add_option("--ids", o->ids, "token ids, verbatim: 2,119,166");
                               app.add_option("--text", o->text, "a text file to predict");
                               app.add_option("-t,--threads", o->threads, "threads (default: physical cores)")
                                   ->check(CLI::Range(1, 1024));
                               app.add_option("--block", o->block, "most tokens per step; 1 = token by token")
                                   ->check(CLI::Range(1, 65536));
                               app.add_flag("--json", o->json, "print one JSON object and nothing else");
                               app.add_flag("--reference", o->reference,
                                            "use the reference evaluator instead of the kernels");
                               add_load_flags(app, o->load);
                               return [o] { run(*o); };
                             }});

}  // namespace
}  // namespace lmc
