#include "tools/engine.h"

#include <fmt/format.h>

#include <charconv>

#include "tools/console.h"

namespace lmc {
namespace {

std::vector<KernelFn> find_kernels(const LoadedKernels& kernels, const StepPlan& step) {
  std::vector<KernelFn> out;
  for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels.find(s.symbol)));
  return out;
}

}  // namespace

Engine::Engine(const std::string& bundle_path, int threads, int64_t block, bool profile)
    : bundle_(bundle_path), kernels_(bundle_.kernels) {
  if (bundle_.has_tokenizer()) tokenizer_ = Tokenizer::from_binary_file(bundle_.file("tokenizer.bin"));
  SessionOptions options;
  options.threads = threads;
  options.block = block;
  options.profile = profile;
  options.stop = &interrupted();
  session_ =
      std::make_unique<Session>(bundle_.plan, find_kernels(kernels_, bundle_.plan.decode),
                                find_kernels(kernels_, bundle_.plan.prefill), bundle_.weights(), options);
}

const Tokenizer& Engine::tokenizer() const {
  if (!tokenizer_) {
    throw Error(bundle_.path +
                ": has no tokenizer, so only --ids work; compile it with --tokenizer FILE to use text");
  }
  return *tokenizer_;
}

std::vector<int32_t> parse_ids(const std::string& text) {
  std::vector<int32_t> out;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int32_t id = 0;
    const auto r = std::from_chars(at, end, id);
    if (r.ec != std::errc() || (r.ptr != end && *r.ptr != ',')) {
      throw UsageError("--ids must be whole numbers separated by commas, such as 2,119,166; found '" + text +
                       "'");
    }
    out.push_back(id);
    at = r.ptr == end ? end : r.ptr + 1;
  }
  if (out.empty()) throw UsageError("--ids is empty");
  return out;
}

std::string number_list(std::span<const float> numbers) {
  fmt::memory_buffer out;
  for (size_t i = 0; i < numbers.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{:.9g}", i ? "," : "", numbers[i]);
  return "[" + fmt::to_string(out) + "]";
}

std::string id_list(std::span<const int32_t> ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

}  // namespace lmc
