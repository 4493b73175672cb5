// A bundle loaded and ready to run: kernels linked, session built, tokenizer opened.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "grammar/grammar_constraint.h"
#include "models/chat/template.h"
#include "models/tokenizer/tokenizer.h"
#include "runtime/draft.h"
#include "runtime/session.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/flags.h"
#include "tools/generate/step_log.h"

namespace lmc {

// How the commands that run kernels load a bundle.
struct EngineLoad {
  LoadOptions kernels;
  bool no_mmap = false;  // Bundle::read_weights()
};

class Engine {
 public:
  // From LMC_LOG=debug on, every step is logged. Ctrl-C stops the session between blocks. `context`: most
  // positions of a sequence, if less than the bundle was compiled for (0: those); UsageError for more.
  explicit Engine(const std::string& bundle_path, SessionOptions options = {}, const EngineLoad& load = {},
                  int64_t context = 0);

  const Bundle& bundle() const { return bundle_; }
  Session& session() { return *session_; }
  const Tokenizer& tokenizer() const;  // Error if the bundle has none: only --ids work then
  const Tokenizer* tokenizer_or_null() const { return tokenizer_ ? &*tokenizer_ : nullptr; }
  // The checkpoint's. Error if the bundle has none, or one that cannot be used.
  ChatTemplate chat_template() const;
  // Guesses from all that this engine has read and said; the limits are those of the first call.
  // `by_model`: and asks the model's own draft; Error if it has none.
  Drafter& drafter(size_t most, size_t least, bool by_model);
  // From then on only the ids of this file are chosen (tools/generate/allowed_ids.h).
  void allow_only(const std::string& file);
  // From then on answers keep to this grammar, made of allowed ids.
  void keep_to(const grammar::Grammar& grammar, std::span<const int32_t> ends);
  // One for each answer; null: they need not keep to anything.
  std::unique_ptr<Constraint> constraint() const;
  bool is_constrained() const { return grammar_ != nullptr; }
  // What was loaded, as `lmc run` says it.
  void report() const;
  // On another rank than 0: does what rank 0 does until that ends, and there is nothing more to do.
  bool follows();
  // As Session::warm_up, with a bar on a terminal.
  void warm_up();

 private:
  Bundle bundle_;
  LoadedKernels kernels_;
  std::optional<Tokenizer> tokenizer_;
  std::unique_ptr<StepLog> log_;
  std::unique_ptr<Session> session_;
  std::optional<Drafter> drafter_;
  std::optional<IdSet> allowed_;
  std::shared_ptr<grammar::CompiledGrammar> grammar_;
};

// --scheduler; `name` holds the default.
void add_scheduler_flag(Flags& flags, std::string& name);

// -c of the commands that generate: the `context` of an Engine.
void add_context_flag(Flags& flags, int64_t& context);

// --no-mmap, --jit-debug and --perf of the commands that run kernels.
void add_load_flags(Flags& flags, EngineLoad& options);

// "KV cache 19.66 MB: 26 layers x up to …", or "" for a plan without one.
std::string cache_text(const Plan& plan);

}  // namespace lmc
