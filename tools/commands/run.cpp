// lmc run: text in, text out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>

#include "ir/files.h"
#include "tools/build/model_cache.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/ids.h"
#include "tools/cli/text_io.h"
#include "tools/generate/answer_json.h"
#include "tools/generate/batch_answers.h"
#include "tools/generate/engine.h"
#include "tools/generate/generation.h"
#include "tools/generate/prompt_cache.h"
#include "tools/generate/ranks.h"
#include "tools/generate/template_variables.h"

namespace lmc::run_command {
namespace {

struct Options {
  std::string bundle, prompt, prompt_file, text, ids, system, batch, prompt_cache;
  GenerationFlags generation;
  TemplateVariables variables;
  EngineLoad load;
  std::string scheduler = kUsualScheduler;
  int threads = 0;
  int64_t block = 0, batch_size = 0, context = 0;
  int64_t logprobs = -1;  // the likeliest beside each token; -1: none at all
  bool json = false, timings = false, verify = false;
  bool has_prompt = false;
  bool has_ids = false;
  std::optional<std::string> piped;  // from standard input
  bool chat = false;
};

std::string prompt_text(const Options& o, const Engine& engine) {
  if (o.has_prompt) return o.prompt;
  return o.piped.value_or(engine.bundle().info.example_prompt);
}

// Without the line's end that editors leave behind, as llama.cpp has it.
std::string file_prompt(const std::string& file) {
  std::string text = read_input(file);
  if (text.ends_with('\n')) text.pop_back();
  if (text.empty()) throw UsageError("--file " + file + ": is empty");
  return text;
}

// What standard input holds, unless it is a terminal.
std::optional<std::string> piped_text() {
  if (::isatty(STDIN_FILENO)) return std::nullopt;
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.empty())
    throw UsageError(
        "standard input is empty; pass the prompt with --prompt, or on a terminal none at all "
        "for the model's example");
  return text;
}

std::vector<int32_t> encoded(const Options& o, const Engine& engine, const std::string& text) {
  if (!o.chat) return engine.tokenizer().encode(text, true);
  std::vector<ChatMessage> messages;
  if (!o.system.empty()) messages.push_back({"system", o.system});
  messages.push_back({"user", text});
  ChatTemplate chat_template = engine.chat_template();
  o.variables.apply(chat_template);
  return engine.tokenizer().encode(chat_template.render(messages, true), false);
}

std::vector<int32_t> prompt_ids(const Options& o, const Engine& engine) {
  if (o.has_ids) return parse_ids(o.ids);
  const std::string text = prompt_text(o, engine);
  if (!o.json && !o.has_prompt && !o.chat) std::fputs(text.c_str(), stdout);
  return encoded(o, engine, text);
}

// How many prompts are in the making at a time, at most.
int64_t slots(const Options& o, const Session& session) {
  constexpr int64_t kUsual = 8;
  const int64_t most = session.most_sequences();
  if (o.batch_size > most) {
    throw UsageError(
        fmt::format("--batch-size {}: a step of this bundle takes at most {} prompts", o.batch_size, most));
  }
  return o.batch_size > 0 ? o.batch_size : std::min(kUsual, most);
}

AnswerJsonOptions json_options(const Options& o) { return {o.timings, o.generation.sampling.drawn_from()}; }

// Every prompt is a sequence of its own, so that its tokens are those of a run alone.
void run_batch(const Options& o, Engine& engine, const std::vector<BatchLine>& lines) {
  const BatchWork work{.file = o.batch == "-" ? "standard input" : o.batch,
                       .lines = lines,
                       .at_a_time = slots(o, engine.session()),
                       .top_logprobs = o.logprobs,
                       .hide_stop_ids = o.chat,
                       .json = json_options(o)};
  answer_lines(engine, work, o.generation, [&](const std::string& text) { return encoded(o, engine, text); });
}

// The answer to one prompt, where the probability of each token is wanted, too: from a batch of one, whose
// tokens are the same.
Answer answer_with_logprobs(const Options& o, Engine& engine, const std::vector<int32_t>& prompt,
                            const GenerationFlags& generation) {
  Answer out;
  answer_all(engine, std::span(&prompt, 1), generation, o.chat, 1, [&](size_t, const Answer& a) { out = a; },
             {.max_tokens = {}, .top_logprobs = o.logprobs});
  return out;
}

void report(const Generated& g, size_t prompt_tokens) {
  const auto decoded = static_cast<double>(g.ids.size()) - 1;
  info("prompt {} tokens, first token after {:.0f} ms ({:.1f} tokens/s) · {} tokens, {:.1f} tokens/s",
       prompt_tokens, g.prompt_seconds * 1e3, static_cast<double>(prompt_tokens) / g.prompt_seconds,
       g.ids.size(), decoded > 0 ? decoded / g.decode_seconds : 0.0);
  if (const std::string text = acceptance_text(g.drafted, g.accepted); !text.empty()) info("{}", text);
}

void run(Options& o) {
  const auto start = std::chrono::steady_clock::now();
  // Wrong usage is found before anything is loaded.
  if (o.has_ids) parse_ids(o.ids);
  static_cast<void>(o.generation.options());
  o.variables.check();
  if (!o.batch.empty()) o.generation.speculation.check_several("--batch");
  if (o.logprobs >= 0) o.generation.speculation.check_several("--logprobs");
  if (!o.batch.empty()) o.json = true;
  if (!o.json && (o.timings || o.logprobs >= 0))
    throw UsageError(std::string(o.timings ? "--timings" : "--logprobs") + " goes with --json or --batch");
  Collective* const ranks = ranks_of_this_run(o.threads);
  if (ranks && ranks->ranks() > 1 && !o.prompt_cache.empty())
    throw UsageError("--prompt-cache keeps the caches of one process: leave it out on several ranks");
  const bool leads = ranks == nullptr || ranks->rank() == 0;
  const std::vector<BatchLine> batch =
      leads && !o.batch.empty() ? read_prompts(o.batch) : std::vector<BatchLine>();
  const Restrictions restrictions(o.generation);
  if (leads && !o.has_ids && !o.has_prompt && o.batch.empty()) o.piped = piped_text();
  Engine engine(o.bundle.empty() ? newest_bundle() : bundle_of(o.bundle),
                {.threads = o.threads, .block = o.block, .scheduler = o.scheduler, .collective = ranks},
                o.load, o.context);
  if (o.verify) engine.bundle().verify_weights();
  if (engine.follows()) return;
  o.generation.sampling.settle(engine.bundle().info.sampling);
  restrictions.apply(engine);
  std::optional<PromptCache> cache;
  if (!o.prompt_cache.empty())
    cache.emplace(o.prompt_cache, sha256_of_file(engine.bundle().file("manifest.json")));
  const double load_seconds = seconds_since(start);
  const auto warming = std::chrono::steady_clock::now();
  engine.warm_up();
  engine.report();
  info("loaded in {:.0f} ms, warmed up in {:.0f} ms", load_seconds * 1e3, seconds_since(warming) * 1e3);
  if (!o.batch.empty()) return run_batch(o, engine, batch);
  const std::vector<int32_t> prompt = prompt_ids(o, engine);

  GenerationFlags generation = o.generation;
  size_t known = 0;
  if (cache) {
    known = static_cast<size_t>(cache->load(engine.session(), prompt));
    info("{} of {} prompt tokens from {}", known, prompt.size(), o.prompt_cache);
    generation.generate.on_prompt = [&] { cache->save(engine.session()); };
  }
  const Answer a = o.logprobs >= 0 ? answer_with_logprobs(o, engine, prompt, generation)
                                   : answer(engine, std::span(prompt).subspan(known), generation, o.chat,
                                            [&](const std::string& piece) {
                                              if (!o.json) write_stdout(piece);
                                            });
  const Generated& g = a.generated;
  if (o.json) write_stdout(answer_json(engine, prompt, known, a, json_options(o)));
  if (g.reason == StopReason::interrupted) throw Interrupted();
  if (g.reason == StopReason::failed) throw Error(g.failure);
  if (g.reason == StopReason::timeout) {
    info("ended by --timeout after {} tokens", g.ids.size());
  }
  if (o.json) {
    if (const std::string said = acceptance_text(g.drafted, g.accepted); !said.empty()) info("{}", said);
    return;
  }
  write_stdout("\n");
  if (!g.ids.empty()) report(g, prompt.size() - known);
}

const RegisterCommand kRun(
    {"run", "generate text with a bundle", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       Flag bundle =
           flags
               .option("bundle", o->bundle,
                       "the bundle; the newest *.lmc here if left out. A GGUF file, a Hugging Face folder or "
                       "a hub "
                       "id that lmc pull has fetched is compiled first, once, and kept (lmc list, lmc rm)")
               .type_name("BUNDLE");
       Flag text = flags.option("text", o->text, "the same as --prompt");
       add_trust_flag(flags);
       Flag prompt =
           flags.option("-p,--prompt", o->prompt,
                        "text to continue (default: standard input if piped, else the model's example)");
       flags.option("-m,--model", o->bundle, "the same as the bundle by its place")
           .type_name("BUNDLE")
           .excludes(bundle);
       Flag file = flags.option("-f,--file", o->prompt_file, "a file with the prompt")
                       .type_name("FILE")
                       .excludes(prompt)
                       .excludes(text);
       Flag ids = flags.option("--ids", o->ids, "token ids to continue, verbatim: 2,119,166");
       prompt.excludes(ids).excludes(text);
       file.excludes(ids);
       text.excludes(ids);
       Flag cache = flags
                        .option("--prompt-cache", o->prompt_cache,
                                "a file or folder that keeps what the prompt left in the KV cache: a later "
                                "run that begins alike need not feed it again")
                        .type_name("FILE");
       Flag batch =
           flags
               .option(
                   "--batch", o->batch,
                   "a file of prompts, one a line (in a .jsonl {\"prompt\":…}, and \"max_tokens\" if it "
                   "shall be its own), or - for standard input; prints one JSON object for each, in order")
               .type_name("FILE")
               .excludes(prompt)
               .excludes(text)
               .excludes(file)
               .excludes(ids)
               .excludes(cache);
       flags
           .option("--batch-size", o->batch_size,
                   "with --batch: how many prompts are decoded in one step (default: 8; at most the --block "
                   "the bundle was compiled with); each has a KV cache of its own; the tokens are the same "
                   "for any number")
           .range(1, 65536)
           .needs(batch);
       Flag chat = flags
                       .flag("--chat", o->chat,
                             "the prompt is a question: write it as the model's chat "
                             "template says")
                       .excludes(ids);
       flags.option("--system", o->system, "with --chat: the system message").needs(chat);
       o->variables.add_to(flags).needs(chat);
       o->generation.add_to(flags);
       add_threads_flag(flags, o->threads);
       add_scheduler_flag(flags, o->scheduler);
       flags.option("--block", o->block, "most prompt tokens per step; 1 = token by token").range(1, 65536);
       add_context_flag(flags, o->context);
       flags.flag(
           "--verify", o->verify,
           "check the hash of the weights before the first token (chat and serve do so while they wait)");
       flags.flag("--json", o->json,
                  "print {\"prompt_ids\":…,\"ids\":…,\"text\":…,\"stop_reason\":…,\"usage\":…} and nothing "
                  "else");
       flags.flag("--timings", o->timings, "with --json or --batch: how long it took, too");
       flags
           .option("--logprobs", o->logprobs,
                   "with --json or --batch: the logarithm of each token's probability, and those of the N "
                   "likeliest beside it")
           .range(0, 1 << 20)
           .type_name("N")
           .excludes(cache);
       add_load_flags(flags, o->load);
       return [o, prompt, text, ids, file] {
         o->has_ids = ids.given();
         o->has_prompt = prompt.given() || text.given() || file.given();
         if (text.given()) o->prompt = o->text;
         if (file.given()) o->prompt = file_prompt(o->prompt_file);
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc::run_command
