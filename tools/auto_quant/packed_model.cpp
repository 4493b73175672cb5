#include "tools/auto_quant/packed_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "codegen/block_rows.h"
#include "codegen/layout.h"
#include "ir/op_def.h"
#include "ir/weight_sources.h"
#include "runtime/threads.h"
#include "tools/console.h"
#include "tools/engine.h"
#include "tools/jobs.h"

namespace lmc {
namespace {

CodegenResult compile(const Model& model, const ModelFlags& flags, PassOptions passes,
                      const CodegenOptions& codegen) {
  flags.apply(passes, model);
  Graph g = model.graph.clone();
  run_passes(g, passes);
  add_packing(g);
  return generate(g, codegen);
}

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

// Fills the memory of each weight.
void pack_all(const WeightPacker& packer, const std::vector<std::byte*>& to, int threads) {
  struct Chunk {
    size_t weight;
    int64_t chunk;
  };
  std::vector<Chunk> chunks;
  std::vector<std::vector<PackError>> errors;
  for (size_t w = 0; w < packer.weights(); ++w) {
    for (int64_t c = 0; c < packer.chunks(w); ++c) chunks.push_back({w, c});
    errors.emplace_back(static_cast<size_t>(packer.rows(w)));
  }
  run_jobs(threads, chunks.size(), [&](size_t i) {
    stop_if_interrupted();
    const auto [w, c] = chunks[i];
    const auto bytes = static_cast<size_t>(packer.chunk_bytes(w, c));
    packer.pack(w, c, {to[w] + packer.chunk_offset(w, c), bytes}, errors[w]);
  });
}

// The rows of a weight, rounded, as a tensor of its own.
class RoundedRows : public WeightSource {
 public:
  RoundedRows(const Graph& g, ValueId v, const WeightSource& source, const BlockFormat& format)
      : g_(g), v_(v), source_(source), format_(format) {}

  std::optional<Type> type(const std::string& /*name*/) const override {
    return Type{DType::f32, g_.type(v_).dims};
  }
  void read(const std::string& /*name*/, int64_t first, std::span<float> out) const override {
    const int64_t cols = g_.type(v_).last();
    const int64_t rows = static_cast<int64_t>(out.size()) / cols;
    std::vector<std::byte> blocks(static_cast<size_t>(rows * format_.row_bytes(cols)));
    std::vector<PackError> errors(static_cast<size_t>(rows));
    read_block_rows(g_, v_, source_, format_, first / cols, rows, blocks, errors);
    for (int64_t r = 0; r < rows; ++r)
      decode_row(format_, blocks.data() + r * format_.row_bytes(cols), cols, out.data() + r * cols);
  }

 private:
  const Graph& g_;
  ValueId v_;
  const WeightSource& source_;
  const BlockFormat& format_;
};

constexpr size_t kSlack = 64;  // readable bytes behind a weight, for whole vectors

}  // namespace

PackedModel::PackedModel(const Model& model, const ModelFlags& flags, PassOptions passes,
                         const CodegenOptions& codegen, int threads)
    : code_(compile(model, flags, std::move(passes), codegen)),
      kernels_(code_.object),
      source_(*model.weights),
      threads_(threads > 0 ? threads : default_threads()) {
  require_memory(code_.plan);
  std::vector<std::byte*> to;
  std::vector<const void*> addresses;
  for (const PlanWeight& w : code_.plan.weights) {
    to.push_back(weights_.emplace_back(static_cast<size_t>(w.bytes) + kSlack).data());
    addresses.push_back(to.back());
  }
  pack_all(WeightPacker(code_.graph, code_.packs, source_), to, threads_);
  SessionOptions options;
  options.threads = threads_;
  options.stop = &interrupted();
  session_ = std::make_unique<Session>(code_.plan, find_kernels(kernels_, code_.plan.decode),
                                       find_kernels(kernels_, code_.plan.prefill), addresses, options);
}

std::vector<PackedModel::Matrix> PackedModel::matrices() const {
  std::vector<Matrix> out;
  for (size_t w = 0; w < code_.packs.size(); ++w) {
    if (!code_.plan.weights[w].layout.ends_with(".rows8")) continue;
    Matrix m{w, {}, code_.graph.type(code_.packs[w])};
    for (const WeightRows& rows : weight_rows(code_.graph, code_.packs[w])) {
      if (std::find(m.tensors.begin(), m.tensors.end(), rows.tensor) == m.tensors.end())
        m.tensors.push_back(rows.tensor);
    }
    out.push_back(std::move(m));
  }
  return out;
}

PackedModel::Rounding::Rounding(PackedModel& model, const Matrix& matrix, DType format)
    : memory_(model.weights_[matrix.weight]), before_(memory_) {
  Graph g;
  ValueId v = g.add_weight("rounded", {DType::f32, matrix.type.dims});
  if (matrix.type.dtype != DType::f32)
    v = g.result(g.add_op("quantize", {v}, {{"format", dtype_name(matrix.type.dtype)}}));
  v = g.result(g.add_op("pack", {v}, {{"layout", model.code_.plan.weights[matrix.weight].layout}}));
  const RoundedRows rows(model.code_.graph, model.code_.packs[matrix.weight], model.source_,
                         block_format(format));
  pack_all(WeightPacker(g, {v}, rows), {memory_.data()}, model.threads_);
}

PackedModel::Rounding::~Rounding() { std::copy(before_.begin(), before_.end(), memory_.begin()); }

}  // namespace lmc
