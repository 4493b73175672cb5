// lmc run: text in, text out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "ir/files.h"
#include "tools/build/model_cache.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/ids.h"
#include "tools/cli/text_io.h"
#include "tools/generate/batch_file.h"
#include "tools/generate/engine.h"
#include "tools/generate/generation.h"
#include "tools/generate/prompt_cache.h"
#include "tools/generate/ranks.h"

namespace lmc::run_command {
namespace {

struct Options {
  std::string bundle, prompt, prompt_file, text, ids, system, batch, prompt_cache;
  GenerationFlags generation;
  LoadOptions load;
  std::string scheduler = kUsualScheduler;
  int threads = 0;
  int64_t block = 0, batch_size = 0;
  bool json = false;
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
  return engine.tokenizer().encode(engine.chat_template().render(messages, true), false);
}

std::vector<int32_t> prompt_ids(const Options& o, const Engine& engine) {
  if (o.has_ids) return parse_ids(o.ids);
  const std::string text = prompt_text(o, engine);
  if (!o.json && !o.has_prompt && !o.chat) std::fputs(text.c_str(), stdout);
  return encoded(o, engine, text);
}

void write_json(const Engine& engine, std::span<const int32_t> prompt, const Answer& a) {
  const std::string text = engine.tokenizer_or_null() ? a.text : "";
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  write_stdout(fmt::format("{{\"prompt_ids\":{},\"ids\":{},\"text\":{}}}\n", id_list(prompt),
                           id_list(a.generated.ids), quoted));
}

// How many prompts are in the making at a time.
int64_t slots(const Options& o, const Session& session, size_t prompts) {
  constexpr int64_t kUsual = 8;
  const int64_t most = session.most_sequences();
  if (o.batch_size > most) {
    throw UsageError(
        fmt::format("--batch-size {}: a step of this bundle takes at most {} prompts", o.batch_size, most));
  }
  const int64_t wanted = o.batch_size > 0 ? o.batch_size : std::min(kUsual, most);
  return std::min(wanted, static_cast<int64_t>(prompts));
}

// Every prompt is a sequence of its own, so that its tokens are those of a run alone.
void run_batch(const Options& o, Engine& engine, const std::vector<std::string>& texts) {
  const int64_t at_a_time = slots(o, engine.session(), texts.size());
  std::vector<std::vector<int32_t>> prompts;
  for (const std::string& text : texts) {
    prompts.push_back(encoded(o, engine, text));
    try {
      engine.session().check_prompt(prompts.back());
    } catch (const Error& e) {
      throw Error({o.batch, static_cast<int>(prompts.size())}, e.what());
    }
  }
  const auto start = std::chrono::steady_clock::now();
  size_t tokens = 0, late = 0;
  int64_t drafted = 0, accepted = 0;
  const bool finished =
      answer_all(engine, prompts, o.generation, o.chat, at_a_time, [&](size_t i, const Answer& a) {
        write_json(engine, prompts[i], a);
        tokens += a.generated.ids.size();
        drafted += a.generated.drafted;
        accepted += a.generated.accepted;
        late += a.generated.reason == StopReason::timeout ? 1 : 0;
        if (a.generated.reason == StopReason::failed) info("prompt {}: {}", i + 1, a.generated.failure);
      });
  if (!finished) throw Interrupted();
  const double seconds = seconds_since(start);
  if (late > 0) info("{} ended by --timeout", late);
  info("{} prompts, {} at a time: {} tokens in {:.2f} s, {:.1f} tokens/s in all", prompts.size(), at_a_time,
       tokens, seconds, static_cast<double>(tokens) / seconds);
  if (const std::string text = acceptance_text(drafted, accepted); !text.empty()) info("{}", text);
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
  const std::vector<std::string> batch = o.batch.empty() ? std::vector<std::string>() : read_prompts(o.batch);
  const Restrictions restrictions(o.generation);
  Collective* const ranks = ranks_of_this_run();
  const bool leads = ranks == nullptr || ranks->rank() == 0;
  if (leads && !o.has_ids && !o.has_prompt && o.batch.empty()) o.piped = piped_text();
  Engine engine(o.bundle.empty() ? newest_bundle() : bundle_of(o.bundle),
                {.threads = o.threads, .block = o.block, .scheduler = o.scheduler, .collective = ranks},
                o.load);
  if (engine.follows()) return;
  if (engine.bundle().plan.ranks > 1 && !o.prompt_cache.empty())
    throw UsageError("--prompt-cache keeps the caches of one process: leave it out on several ranks");
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
  const Answer a =
      answer(engine, std::span(prompt).subspan(known), generation, o.chat, [&](const std::string& piece) {
        if (!o.json) write_stdout(piece);
      });
  const Generated& g = a.generated;
  if (g.reason == StopReason::interrupted) throw Interrupted();
  if (g.reason == StopReason::failed) throw Error(g.failure);
  if (g.reason == StopReason::timeout) {
    info("ended by --timeout after {} tokens", g.ids.size());
  }
  if (o.json) {
    write_json(engine, prompt, a);
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
               .option("--batch", o->batch,
                       "a file of prompts, one a line ({\"prompt\":…} a line in a .jsonl); prints one JSON "
                       "object for each, in order")
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
       o->generation.add_to(flags);
       add_threads_flag(flags, o->threads);
       add_scheduler_flag(flags, o->scheduler);
       flags.option("--block", o->block, "most prompt tokens per step; 1 = token by token").range(1, 65536);
       flags.flag("--json", o->json, "print {\"prompt_ids\":…,\"ids\":…,\"text\":…} and nothing else");
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
