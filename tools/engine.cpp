#include "tools/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>

#include "runtime/threads.h"
#include "tools/console.h"
#include "tools/machine.h"
#include "tools/membw.h"

namespace lmc {

std::vector<KernelFn> find_kernels(const LoadedKernels& kernels, const StepPlan& step) {
  std::vector<KernelFn> out;
  for (const PlanStage& s : step.stages) out.push_back(reinterpret_cast<KernelFn>(kernels.find(s.symbol)));
  return out;
}

Engine::Engine(const std::string& bundle_path, SessionOptions options, const LoadOptions& load)
    : bundle_(bundle_path), kernels_(bundle_.kernels, load) {
  if (bundle_.has_tokenizer()) tokenizer_ = Tokenizer::from_binary_file(bundle_.file("tokenizer.bin"));
  options.stop = &interrupted();
  const int threads = options.threads > 0 ? options.threads : default_threads();
  if (threads > 1) options.machine = machine_figures(threads);
  if (const LogLevel level = log_level(); level >= LogLevel::debug) {
    const double peak = level >= LogLevel::trace
                            ? measure_read_bandwidth(bundle_.weight_file(), threads).bytes_per_second
                            : 0;
    log_ = std::make_unique<StepLog>(bundle_.plan, level, peak);
    options.profile = true;
    options.on_step = [log = log_.get(), then = options.on_step](const StepPlan& plan, const StepInfo& step,
                                                                 const Profile& times) {
      (*log)(plan, step, times);
      if (then) then(plan, step, times);
    };
  }
  session_ =
      std::make_unique<Session>(bundle_.plan, find_kernels(kernels_, bundle_.plan.decode),
                                find_kernels(kernels_, bundle_.plan.prefill), bundle_.weights(), options);
}

void Engine::report() const {
  const BundleInfo& i = bundle_.info;
  info("{}: {} layers, context {}, vocabulary {}, {:.2f} M parameters from {}", i.model, i.layers,
       bundle_.plan.context, bundle_.plan.vocab, static_cast<double>(i.parameters) / 1e6, i.source);
  info("{} tensors packed into {}, {}", i.tensors,
       human_bytes(static_cast<double>(bundle_.weight_file().size())), fmt::join(i.summaries, ", "));
  if (const std::string cache = cache_text(bundle_.plan); !cache.empty()) info("{}", cache);
  info("{}, target {}, {} threads",
       tokenizer_ ? fmt::format("tokenizer with {} tokens", tokenizer_->vocab_size()) : "no tokenizer",
       bundle_.plan.target, session_->threads());
}

void Engine::warm_up() {
  Progress progress("loading");
  session_->warm_up([&](int64_t done, int64_t total) { progress.update(done, total); });
}

void add_scheduler_flag(CLI::App& app, std::string& name) {
  std::string doc = "who runs the stages of a step: ";
  std::vector<std::string> names;
  for (const SchedulerDef* s : all_schedulers()) {
    doc += fmt::format("{}{} ({})", names.empty() ? "" : ", ", s->name, s->doc);
    names.push_back(s->name);
  }
  app.add_option("--scheduler", name, doc)
      ->type_name("NAME")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

void add_load_flags(CLI::App& app, LoadOptions& options) {
  app.add_flag("--jit-debug", options.debugger, "tell GDB about the kernels");
  app.add_flag("--perf", options.perf, "name the kernels for perf, in /tmp/perf-PID.map");
}

std::string cache_text(const Plan& plan) {
  if (plan.caches.empty()) return "";
  int64_t bytes = 0;
  std::map<int64_t, int64_t> layers;  // by capacity
  for (const PlanCache& c : plan.caches) {
    bytes += c.bytes;
    ++layers[c.capacity];
  }
  std::string counts;
  for (const auto& [capacity, count] : layers)
    counts += fmt::format("{}{} layers x {} positions", counts.empty() ? "" : " + ", count, capacity);
  const PlanCache& c = plan.caches[0];
  return fmt::format("KV cache {} at most: ({}) x 2 x {} heads x {} x {}",
                     human_bytes(static_cast<double>(bytes)), counts, c.kv_heads, c.head_dim,
                     c.dtype == DType::kv_f16 ? "f16" : "f32");
}

const Tokenizer& Engine::tokenizer() const {
  if (!tokenizer_) {
    throw Error(bundle_.path +
                ": has no tokenizer, so only --ids work; compile it with --tokenizer FILE to use text");
  }
  return *tokenizer_;
}

ChatTemplate Engine::chat_template() const {
  tokenizer();
  const auto text = find_chat_template(bundle_.path);
  if (!text) {
    throw Error(bundle_.path +
                ": has no chat template: its checkpoint had neither chat_template.jinja nor a "
                "chat_template in tokenizer_config.json");
  }
  return ChatTemplate(*text);
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
