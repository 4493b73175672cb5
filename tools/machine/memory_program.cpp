#include "tools/machine/memory_program.h"

#include "ir/kernel_abi.h"
#include "runtime/threads.h"
#include "tools/cli/console.h"
#include "tools/machine/machine.h"
#include "tools/system/jobs.h"

namespace lmc {

PlanKernels find_kernels(const LoadedKernels& kernels, const Plan& plan) {
  const auto of = [&](const StepPlan& step) {
    std::vector<KernelFn> out;
    for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels.find(s.symbol)));
    return out;
  };
  return {of(plan.decode), of(plan.prefill), of(plan.hidden), of(plan.draft)};
}

void pack_weights(const WeightPacker& packer, const std::vector<std::byte*>& to, int threads) {
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

MemoryProgram::MemoryProgram(CodegenResult code, const WeightSource& source, const SessionOptions& options,
                             ColumnImportance importance)
    : code_(std::move(code)), kernels_(code_.object) {
  std::vector<std::byte*> to;
  for (const PlanWeight& w : code_.plan.weights)
    to.push_back(weights_.emplace_back(static_cast<size_t>(w.bytes + kReadPastEnd)).data());
  pack_weights(
      WeightPacker(code_.graphs.model, code_.packs, source, NotFinite::refuse, std::move(importance)), to,
      options.threads > 0 ? options.threads : default_threads());
  SessionOptions on_this_machine = options;
  const int threads = options.threads > 0 ? options.threads : default_threads();
  if (threads > 1) on_this_machine.machine = machine_figures(threads);
  session_ = std::make_unique<Session>(code_.plan, find_kernels(kernels_, code_.plan),
                                       std::vector<const void*>(to.begin(), to.end()), on_this_machine);
}

}  // namespace lmc
