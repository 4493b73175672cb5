#include "tools/measure/eval_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/cli/console.h"
#include "tools/measure/eval_text.h"

namespace lmc {
namespace {

EvalText common_text(const Engine& a, const Engine& b, const std::string& file) {
  const auto both = a.bundle().path + " and " + b.bundle().path;
  if (a.bundle().plan.vocab != b.bundle().plan.vocab) {
    throw Error(fmt::format("{} cannot be compared: their vocabularies have {} and {} tokens", both,
                            a.bundle().plan.vocab, b.bundle().plan.vocab));
  }
  EvalText text = read_eval_text(a, file);
  const EvalText other = read_eval_text(b, file);
  if (text.tokens != other.tokens || text.bos != other.bos)
    throw Error(both + " cannot be compared: their tokenizers make other tokens of " + file);
  return text;
}

// Both models are fed the same block in turn, so that only one block of logits is kept. Later blocks of a
// piece count for the rope factors, as they do when it is fed at once.
class PieceComparison {
 public:
  PieceComparison(Session& a, Session& b, LogitComparison& out) : a_(a), b_(b), out_(out) {}

  void run(std::span<const int32_t> fed, std::span<const int32_t> predicted) {
    a_.reset();
    b_.reset();
    const auto block = static_cast<size_t>(std::min(a_.block(), b_.block()));
    const auto vocab = static_cast<size_t>(a_.vocab());
    for (size_t at = 0; at < fed.size(); at += block) {
      const auto tokens = fed.subspan(at, std::min(block, fed.size() - at));
      const auto to_come = static_cast<int64_t>(fed.size() - at - tokens.size());
      rows_.clear();
      feed(a_, tokens, to_come, [&](int64_t, int64_t rows, const float* logits) {
        rows_.insert(rows_.end(), logits, logits + static_cast<size_t>(rows) * vocab);
      });
      feed(b_, tokens, to_come, [&](int64_t first, int64_t rows, const float* logits) {
        for (size_t r = 0; r < static_cast<size_t>(rows); ++r) {
          const size_t row = static_cast<size_t>(first) + r;
          out_.add(std::span(rows_).subspan((row - at) * vocab, vocab), {logits + r * vocab, vocab},
                   predicted[row]);
        }
      });
    }
  }

 private:
  static void feed(Session& s, std::span<const int32_t> tokens, int64_t to_come, const Session::Sink& sink) {
    if (!s.forward(tokens, Rows::all, sink, to_come)) throw Interrupted();
  }

  Session& a_;
  Session& b_;
  LogitComparison& out_;
  std::vector<float> rows_;  // A's logits of the block
};

}  // namespace

ComparedLogits compare_bundles(Engine& a, Engine& b, const std::string& text_file) {
  const EvalText text = common_text(a, b, text_file);
  LogitComparison out;
  PieceComparison piece(a.session(), b.session(), out);
  for_each_piece(
      text, std::min(a.session().context(), b.session().context()),
      [&](std::span<const int32_t> fed, std::span<const int32_t> predicted) { piece.run(fed, predicted); });
  return out.result();
}

std::string comparison_table(const ComparedLogits& c, const std::string& name_a, const std::string& name_b) {
  const size_t width = std::clamp<size_t>(std::max(name_a.size(), name_b.size()), 9, 60);
  std::string out = fmt::format("{} tokens\n{:<{}}  perplexity  nats per token\n", c.tokens, "", width + 3);
  out += fmt::format("A  {:<{}}  {:>10.4f}  {:>14.6f}\n", name_a, width, std::exp(c.nll_a), c.nll_a);
  out += fmt::format("B  {:<{}}  {:>10.4f}  {:>14.6f}\n", name_b, width, std::exp(c.nll_b), c.nll_b);
  out += fmt::format("ln p_B - ln p_A          {:.6f} ± {:.6f} (mean ± standard error)\n", c.difference,
                     c.standard_error);
  out += fmt::format("KL divergence of B       mean {:.6f} · 99% {:.6f} · largest {:.6f} nats\n", c.kl_mean,
                     c.kl_p99, c.kl_max);
  return out + fmt::format("same likeliest token     {:.3f}%\n", 100 * c.same_top);
}

std::string comparison_json(const ComparedLogits& c, const std::string& name_a, const std::string& name_b) {
  const auto side = [](const std::string& name, double nll) {
    return nlohmann::ordered_json{{"bundle", name}, {"nll", nll}, {"perplexity", std::exp(nll)}};
  };
  const nlohmann::ordered_json out = {
      {"tokens", c.tokens},
      {"a", side(name_a, c.nll_a)},
      {"b", side(name_b, c.nll_b)},
      {"log_probability_difference", {{"mean", c.difference}, {"standard_error", c.standard_error}}},
      {"kl", {{"mean", c.kl_mean}, {"p99", c.kl_p99}, {"max", c.kl_max}}},
      {"same_top", c.same_top}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace lmc
