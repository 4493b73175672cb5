#include "tools/build/auto_quant/packed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "codegen/block_rows.h"
#include "ir/op_def.h"
#include "ir/weight_sources.h"
#include "passes/engine/lowering.h"
#include "tools/cli/console.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace {

// What the system says it can give without swapping; all there is where it says nothing.
double available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  for (double kib = 0; in >> key; in.ignore(1 << 10, '\n')) {
    if (key == "MemAvailable:" && in >> kib) return kib * 1024;
  }
  return INFINITY;
}

void require_memory(const Plan& plan) {
  double bytes = 0;
  for (const PlanWeight& w : plan.weights) bytes += static_cast<double>(w.bytes);
  if (const double there = available_memory(); bytes > there)
    throw Error(fmt::format("--quant auto holds {} of weights in memory to measure them; {} are available",
                            human_bytes(bytes), human_bytes(there)));
}

constexpr int64_t kBlock = 64;  // of prompt tokens

CodegenResult compile(const Model& model, const ModelFlags& flags, PassOptions passes,
                      const std::string& target) {
  CodegenOptions codegen;
  codegen.context = model.context;
  codegen.cache_folder = cache_folder();
  flags.apply(passes, model);
  Graph g = model.graph.clone();
  run_passes(g, passes);
  CodegenResult out = emit(lower(std::move(g), {std::min(kBlock, model.context), target}), codegen);
  require_memory(out.plan);
  return out;
}

// The rows of a weight, rounded, as a tensor of its own.
class RoundedRows : public WeightSource {
 public:
  RoundedRows(const Graph& g, ValueId v, const WeightSource& source, const BlockFormat& format,
              const InputStatistics& inputs)
      : g_(g),
        v_(v),
        expressions_(g, std::span(&v, 1)),
        reader_(expressions_, source),
        format_(format),
        inputs_(inputs) {}

  std::optional<Type> type(const std::string& /*name*/) const override {
    return Type{DType::f32, g_.type(v_).dims};
  }
  void read(const std::string& /*name*/, int64_t first, std::span<float> out) const override {
    const int64_t cols = g_.type(v_).last();
    const int64_t rows = static_cast<int64_t>(out.size()) / cols;
    std::vector<std::byte> blocks(static_cast<size_t>(rows * format_.row_bytes(cols)));
    std::vector<PackError> errors(static_cast<size_t>(rows));
    read_block_rows(reader_, expressions_.view(v_).pick_rows(Positions::range(first / cols, rows)), format_,
                    blocks, errors, inputs_);
    for (int64_t r = 0; r < rows; ++r)
      decode_row(format_, blocks.data() + r * format_.row_bytes(cols), cols, out.data() + r * cols);
  }

 private:
  const Graph& g_;
  ValueId v_;
  WeightExpressions expressions_;
  WeightReader reader_;
  const BlockFormat& format_;
  const InputStatistics& inputs_;
};

}  // namespace

PackedModel::PackedModel(const Model& model, const ModelFlags& flags, PassOptions passes,
                         const std::string& target, const SessionOptions& options,
                         const InputImportance& importance)
    : PackedModel(model, compile(model, flags, std::move(passes), target), options, importance) {}

PackedModel::PackedModel(const Model& model, CodegenResult code, const SessionOptions& options,
                         const InputImportance& importance)
    : source_(*model.weights),
      importance_(column_importance(importance, code)),
      program_(std::move(code), source_, options, importance_) {}

std::vector<PackedModel::Matrix> PackedModel::matrices() const {
  const CodegenResult& code = program_.code();
  const std::vector<std::vector<WeightRows>> all = weight_rows(code.graphs.model, code.packs);
  std::vector<Matrix> out;
  for (size_t w = 0; w < code.packs.size(); ++w) {
    Matrix m{w, {}, code.graphs.model.type(code.packs[w])};
    if (m.type.rank() < 2) continue;
    for (const WeightRows& rows : all[w]) {
      if (std::find(m.tensors.begin(), m.tensors.end(), rows.tensor) == m.tensors.end())
        m.tensors.push_back(rows.tensor);
    }
    out.push_back(std::move(m));
  }
  return out;
}

PackedModel::Rounding::Rounding(PackedModel& model, const Matrix& matrix, DType format)
    : memory_(model.program_.weight(matrix.weight)), before_(memory_) {
  const CodegenResult& code = model.program_.code();
  Graph g;
  ValueId v = g.add_weight("rounded", {DType::f32, matrix.type.dims});
  if (matrix.type.dtype != DType::f32)
    v = g.result(g.add_op("quantize", {v}, {{"format", dtype_name(matrix.type.dtype)}}));
  v = g.result(g.add_op("pack", {v}, {{"layout", code.plan.weights[matrix.weight].layout}}));
  const RoundedRows rows(code.graphs.model, code.packs[matrix.weight], model.source_, block_format(format),
                         model.importance_[matrix.weight]);
  pack_weights(WeightPacker(g, {v}, rows), {memory_.data()}, model.session().threads());
}

PackedModel::Rounding::~Rounding() { std::copy(before_.begin(), before_.end(), memory_.begin()); }

}  // namespace lmc
