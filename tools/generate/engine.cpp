#include "tools/generate/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "ir/seconds.h"
#include "runtime/threads.h"
#include "tools/cli/console.h"
#include "tools/generate/allowed_ids.h"
#include "tools/generate/ranks.h"
#include "tools/generate/text_grammar.h"
#include "tools/machine/machine.h"
#include "tools/machine/membw.h"
#include "tools/machine/memory_program.h"

namespace lmc {

namespace {

// A bundle runs on as many ranks as it was compiled for.
void check_ranks(const Bundle& bundle, const Collective* started) {
  const int64_t wanted = bundle.plan.ranks;
  const int64_t ranks = started ? started->ranks() : 1;
  if (wanted == ranks) return;
  if (wanted == 1)
    throw Error(fmt::format("{}: is for one process, not for {}: compile it with --ranks {}", bundle.path,
                            ranks, ranks));
  throw Error(fmt::format(
      "{}: is for {} ranks: start it as mpirun -n {} lmc run (chat, eval, serve, bench, profile){}",
      bundle.path, wanted, wanted, has_mpi() ? "" : " (this lmc was built without MPI: cmake -DLMC_MPI=ON)"));
}

}  // namespace

Engine::Engine(const std::string& bundle_path, SessionOptions options, const EngineLoad& load,
               int64_t context)
    : bundle_(bundle_path, options.collective ? options.collective->rank() : 0),
      kernels_(bundle_.kernels, load.kernels) {
  check_ranks(bundle_, options.collective);
  if (context > bundle_.plan.context) {
    throw UsageError(fmt::format("-c {}: {} was compiled for {} positions; compile it with -c {}", context,
                                 bundle_.path, bundle_.plan.context, context));
  }
  if (context > 0) bundle_.plan.context = context;
  if (load.no_mmap) bundle_.read_weights();
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
  session_ = std::make_unique<Session>(bundle_.plan, find_kernels(kernels_, bundle_.plan), bundle_.weights(),
                                       options);
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

Drafter& Engine::drafter(size_t most, size_t least, bool by_model) {
  if (by_model && !session_->guesses())
    throw Error(bundle_.path + ": was compiled without a draft of its own: compile it with --self-draft");
  if (!drafter_) drafter_.emplace(most, least, by_model);
  return *drafter_;
}

void Engine::allow_only(const std::string& file) {
  allowed_ = read_allowed_ids(file, session_->vocab());
  session_->set_allowed(&*allowed_);
  info("{} of {} tokens may be chosen", allowed_->size(), session_->vocab());
}

void Engine::keep_to(const grammar::Grammar& grammar, std::span<const int32_t> ends) {
  const auto begin = std::chrono::steady_clock::now();
  auto vocabulary = vocabulary_for(tokenizer(), session_->vocab(), ends, allowed_ ? &*allowed_ : nullptr);
  const double read = seconds_since(begin);
  grammar_ = std::make_shared<grammar::CompiledGrammar>(grammar, std::move(vocabulary));
  info("vocabulary read in {:.0f} ms, grammar compiled in {:.1f} ms", read * 1e3,
       (seconds_since(begin) - read) * 1e3);
}

std::unique_ptr<Constraint> Engine::constraint() const {
  return grammar_ ? std::make_unique<grammar::GrammarConstraint>(grammar_) : nullptr;
}

bool Engine::follows() {
  if (bundle_.plan.rank == 0) return false;
  session_->warm_up();
  session_->follow();
  return true;
}

void Engine::warm_up() {
  Progress progress("loading");
  session_->warm_up([&](int64_t done, int64_t total) { progress.update(done, total); });
}

void add_scheduler_flag(Flags& flags, std::string& name) {
  std::string doc = "who runs the stages of a step: ";
  std::vector<std::string> names;
  for (const SchedulerDef* s : all_schedulers()) {
    doc += fmt::format("{}{} ({})", names.empty() ? "" : ", ", s->name, s->doc);
    names.push_back(s->name);
  }
  flags.option("--scheduler", name, doc).type_name("NAME").one_of(names).shows_default();
}

void add_context_flag(Flags& flags, int64_t& context) {
  flags
      .option("-c,--context", context,
              "most positions of a text, the prompt included (default: what the bundle was compiled for)")
      .positive();
}

void add_load_flags(Flags& flags, EngineLoad& options) {
  flags.flag("--no-mmap", options.no_mmap,
             "read the weights into memory instead of mapping their file: needs as much memory again as the "
             "system keeps of it, and is faster where small pages are dear, as on some virtual machines");
  flags.flag("--jit-debug", options.kernels.debugger, "tell GDB about the kernels");
  flags.flag("--perf", options.kernels.perf, "name the kernels for perf, in /tmp/perf-PID.map");
}

// What a cache keeps of a position.
static std::string position_text(const PlanCache& c) {
  if (c.dtype == DType::state_f32) return fmt::format("{} heads x {} x f32", c.kv_heads, c.value_dim);
  const std::string_view format = std::string_view(dtype_name(c.dtype)).substr(sizeof("kv"));
  if (c.key_dim == 0) return fmt::format("{} x {}", c.value_dim, format);
  if (c.key_dim != c.value_dim)
    return fmt::format("{} heads x ({} + {}) x {}", c.kv_heads, c.key_dim, c.value_dim, format);
  return fmt::format("2 x {} heads x {} x {}", c.kv_heads, c.value_dim, format);
}

std::string cache_text(const Plan& plan) {
  if (plan.caches.empty()) return "";
  int64_t bytes = 0;
  std::map<std::string, std::map<int64_t, int64_t>> layers;  // by what they keep of a position, then capacity
  for (const PlanCache& c : plan.caches) {
    bytes += c.bytes;
    ++layers[position_text(c)][c.capacity];
  }
  std::string all;
  for (const auto& [position, by_capacity] : layers) {
    std::string counts;
    for (const auto& [capacity, count] : by_capacity)
      counts += fmt::format("{}{} layers x {} positions", counts.empty() ? "" : " + ", count, capacity);
    all += fmt::format("{}({}) x {}", all.empty() ? "" : " + ", counts, position);
  }
  return fmt::format("KV cache {} at most: {}", human_bytes(static_cast<double>(bytes)), all);
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

}  // namespace lmc
