#include "tools/build/auto_quant/importance.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "tools/build/auto_quant/packed_model.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

// Sums over all rows that a stage reads, by the weight in the plan that they are multiplied by.
class InputSquares {
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
    std::vector<double>& sums = of_[static_cast<size_t>(weight->index)];
    sums.resize(cols);
    const auto* x = static_cast<const float*>(operands[static_cast<size_t>(input - stage.operands.begin())]);
    for (size_t r = 0; r < rows; ++r, x += cols) {
      for (size_t i = 0; i < cols; ++i) sums[i] += double{x[i]} * double{x[i]};
    }
  }

  // Relative to their mean; empty where nothing else than zeros came.
  std::vector<float> relative(size_t weight) const {
    const auto it = of_.find(weight);
    if (it == of_.end()) return {};
    const std::vector<double>& sums = it->second;
    const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(sums.size());
    std::vector<float> out;
    for (const double s : sums) out.push_back(static_cast<float>(s / mean));
    return mean > 0 ? out : std::vector<float>{};
  }

 private:
  std::map<size_t, std::vector<double>> of_;
};

}  // namespace

InputImportance measure_importance(const Model& model, ModelFlags flags, PassOptions passes,
                                   const std::string& target, int threads, const Sequences& sequences) {
  flags.quant.format = "none";
  // A projection's input is a value of its own: nothing is joined with what reads it.
  for (const char* pass : {"fuse-norm-linear", "fuse-down-act", "fuse-attention-out", "fuse-residual",
                           "fuse-up-act", "fuse-softcap"})
    passes.disabled.insert(pass);
  InputSquares squares;
  SessionOptions options;
  options.threads = threads;
  options.scheduler = "in-order";
  options.stop = &interrupted();
  options.before_stage = [&](const PlanStage& stage, const StepInfo& step, std::span<void* const> operands) {
    squares.add(stage, step, operands);
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
    const std::vector<float> relative = squares.relative(m.weight);
    if (relative.empty()) continue;
    for (const std::string& tensor : m.tensors) out[tensor] = relative;
  }
  return out;
}

}  // namespace lmc
