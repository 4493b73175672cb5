#include "tools/build/auto_quant/importance.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "ir/op_def.h"
#include "tools/build/auto_quant/lookups.h"
#include "tools/build/auto_quant/packed_model.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

// How inputs go together is kept of so many: twice that would take four times the memory and time.
constexpr size_t kMostTogether = 2048;

// Sums over all rows that a stage reads, by the weight in the plan that they are multiplied by.
class InputSums {
 public:
  void add(const PlanStage& stage, const StepInfo& step, std::span<void* const> operands) {
    const StageWork& work = stage.work;
    if (work.weight.size() < 2 || work.input.size() < 2 || work.input.back() != work.weight.back()) return;
    const auto find = [&](Space space) {
      return std::find_if(stage.operands.begin(), stage.operands.end(),
                          [&](const PlanOperand& o) { return o.space == space && !o.written; });
    };
    const auto weight = find(Space::weight), input = find(Space::arena);
    if (weight == stage.operands.end() || input == stage.operands.end()) return;
    const auto cols = static_cast<size_t>(work.weight.back());
    const int64_t apart = std::accumulate(work.input.begin() + 1, work.input.end() - 1, int64_t{1},
                                          std::multiplies<>());  // experts' rows of a token
    const auto rows = static_cast<size_t>((work.over_rows ? step.rows : step.tokens) * apart);
    std::vector<double>& sums = squares_[static_cast<size_t>(weight->index)];
    sums.resize(cols);
    std::vector<double>& products = products_[static_cast<size_t>(weight->index)];
    if (cols <= kMostTogether) products.resize(cols * cols);
    const auto* x = static_cast<const float*>(operands[static_cast<size_t>(input - stage.operands.begin())]);
    for (size_t r = 0; r < rows; ++r, x += cols) {
      for (size_t i = 0; i < cols; ++i) sums[i] += double{x[i]} * double{x[i]};
      if (products.empty()) continue;
      for (size_t i = 0; i < cols; ++i) {
        const double xi = x[i];
        for (size_t j = i; j < cols; ++j) products[i * cols + j] += xi * double{x[j]};
      }
    }
  }

  // Nothing where nothing else than zeros came.
  InputStatistics of(size_t weight) const {
    InputStatistics out;
    out.importance = relative(weight);
    const auto products = products_.find(weight);
    if (!out.importance.empty() && products != products_.end() && !products->second.empty())
      out.feedback =
          std::make_shared<ErrorFeedback>(products->second, static_cast<int64_t>(out.importance.size()));
    return out;
  }

 private:
  std::vector<float> relative(size_t weight) const {
    const auto it = squares_.find(weight);
    if (it == squares_.end()) return {};
    const std::vector<double>& sums = it->second;
    const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(sums.size());
    std::vector<float> out;
    for (const double s : sums) out.push_back(static_cast<float>(s / mean));
    return mean > 0 ? out : std::vector<float>{};
  }

  std::map<size_t, std::vector<double>> squares_, products_;
};

}  // namespace

InputImportance measure_importance(const Model& model, ModelFlags flags, PassOptions passes,
                                   const std::string& target, int threads, const Sequences& sequences) {
  flags.quant.format = "none";
  // A projection's input is a value of its own: nothing is joined with what reads it.
  for (const char* pass : {"fuse-norm-linear", "fuse-down-act", "fuse-attention-out", "fuse-residual",
                           "fuse-up-act", "fuse-softcap"})
    passes.disabled.insert(pass);
  InputSums sums;
  SessionOptions options;
  options.threads = threads;
  options.scheduler = "in-order";
  options.stop = &interrupted();
  options.before_stage = [&](const PlanStage& stage, const StepInfo& step, std::span<void* const> operands) {
    sums.add(stage, step, operands);
  };
  PackedModel measured(model, flags, std::move(passes), target, options);
  Progress progress("measuring inputs");
  int64_t done = 0;
  for (const std::vector<int32_t>& tokens : sequences) {
    measured.session().reset();
    measured.session().forward(tokens, Rows::all, [](int64_t, int64_t, const float*) {});
    stop_if_interrupted();
    progress.update(++done, static_cast<int64_t>(sequences.size()));
  }
  InputImportance out;
  for (const PackedModel::Matrix& m : measured.matrices()) {
    InputStatistics inputs = sums.of(m.weight);
    if (inputs.importance.empty()) continue;
    for (const std::string& tensor : m.tensors) {
      // What is passed on in a table that is looked up in as well (tied embeddings) is what others lose, and
      // rows that are read by themselves would only be farther off.
      if (lookups(model.graph, tensor).any) inputs.feedback = nullptr;
      out[tensor] = inputs;
    }
  }
  return out;
}

}  // namespace lmc
