#include "tools/measure/profile/attention_parts.h"

#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/machine/memory_program.h"
#include "tools/measure/bench/speed.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace {

CodegenResult compiled_for_measuring(const Bundle& bundle) {
  const std::string file = bundle.file("model.lmir");
  CodegenOptions options;
  options.context = bundle.plan.context;
  options.cache_folder = cache_folder();
  options.time_attention = true;
  CodegenResult code =
      emit(lower(parse_graph(read_file(file), file), {bundle.plan.prefill.max_tokens, bundle.plan.target}),
           options);
  // The session runs this code with the bundle's plan and weights.
  if (code.plan.decode.stages.size() != bundle.plan.decode.stages.size() ||
      code.plan.prefill.stages.size() != bundle.plan.prefill.stages.size() ||
      code.plan.weights.size() != bundle.plan.weights.size()) {
    throw Error(bundle.path + ": was compiled by another version of lmc: compile it again");
  }
  return code;
}

AttentionShares shares(const std::array<int64_t, kAttentionParts>& cycles) {
  double all = 0;
  for (const int64_t c : cycles) all += static_cast<double>(c);
  AttentionShares out = {};
  for (size_t i = 0; i < out.size(); ++i) out[i] = all > 0 ? static_cast<double>(cycles[i]) / all : 0;
  return out;
}

}  // namespace

AttentionParts measure_attention_parts(const Bundle& bundle, int threads, int64_t prompt, int64_t decode) {
  const CodegenResult code = compiled_for_measuring(bundle);
  const LoadedKernels kernels(code.object);
  std::array<int64_t, kAttentionParts> cycles = {};
  Session session(code.plan, find_kernels(kernels, code.plan), bundle.weights(),
                  {.threads = threads, .cycles = cycles.data(), .stop = &interrupted()});
  AttentionParts out;
  session.step(made_up_tokens(prompt, session.vocab()));
  stop_if_interrupted();
  out.prefill = shares(cycles);
  cycles = {};
  for (const int32_t token : made_up_tokens(decode, session.vocab())) {
    session.step(std::span(&token, 1));
    stop_if_interrupted();
  }
  out.decode = shares(cycles);
  return out;
}

}  // namespace lmc
