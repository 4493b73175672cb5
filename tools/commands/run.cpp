// lmc run: text in, text out.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tools/command.h"
#include "tools/console.h"
#include "tools/engine.h"
#include "tools/generation.h"

namespace lmc {
namespace {

struct Options {
  std::string bundle, prompt, ids;
  GenerationFlags generation;
  LoadOptions load;
  int threads = 0;
  int64_t block = 0;
  bool json = false;
  bool has_prompt = false;
};

std::vector<int32_t> prompt_ids(const Options& o, const Engine& engine) {
  if (!o.ids.empty()) return parse_ids(o.ids);
  std::string text = o.prompt;
  if (!o.has_prompt) {
    if (!::isatty(STDIN_FILENO)) text.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (text.empty()) text = engine.bundle().info.example_prompt;
  }
  if (!o.json && !o.has_prompt) std::fputs(text.c_str(), stdout);
  return engine.tokenizer().encode(text, true);
}

void report(const Generated& g, size_t prompt_tokens) {
  const auto decoded = static_cast<double>(g.ids.size()) - 1;
  info("prompt {} tokens, first token after {:.0f} ms ({:.1f} tokens/s) · {} tokens, {:.1f} tokens/s",
       prompt_tokens, g.prompt_seconds * 1e3, static_cast<double>(prompt_tokens) / g.prompt_seconds,
       g.ids.size(), decoded > 0 ? decoded / g.decode_seconds : 0.0);
  if (const std::string text = acceptance_text(g); !text.empty()) info("{}", text);
}

void run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  // Wrong usage is found before anything is loaded.
  if (!o.ids.empty()) parse_ids(o.ids);
  static_cast<void>(o.generation.options());
  Engine engine(o.bundle.empty() ? newest_bundle() : o.bundle, {.threads = o.threads, .block = o.block},
                o.load);
  const double load_seconds = seconds_since(start);
  const auto warming = std::chrono::steady_clock::now();
  engine.warm_up();
  engine.report();
  info("loaded in {:.0f} ms, warmed up in {:.0f} ms", load_seconds * 1e3, seconds_since(warming) * 1e3);
  const std::vector<int32_t> prompt = prompt_ids(o, engine);

  const Answer a = answer(engine, prompt, o.generation, false, [&](const std::string& piece) {
    if (!o.json) write_out(piece);
  });
  const Generated& g = a.generated;
  if (g.reason == StopReason::interrupted) throw Interrupted();
  if (g.reason == StopReason::timeout) {
    info("ended by --timeout after {} tokens", g.ids.size());
  }
  if (o.json) {
    const std::string text = engine.tokenizer_or_null() ? a.text : "";
    const std::string quoted =
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    write_out(fmt::format("{{\"prompt_ids\":{},\"ids\":{},\"text\":{}}}\n", id_list(prompt), id_list(g.ids),
                          quoted));
    if (const std::string said = acceptance_text(g); !said.empty()) info("{}", said);
    return;
  }
  write_out("\n");
  if (!g.ids.empty()) report(g, prompt.size());
}

const RegisterCommand kRun(
    {"run", "generate text with a bundle", [](CLI::App& app) {
       auto o = std::make_shared<Options>();
       app.add_option("bundle", o->bundle, "the bundle; the newest *.lmc here if left out");
       auto* prompt =
           app.add_option("-p,--prompt", o->prompt,
                          "text to continue (default: standard input if piped, else the model's example)");
       auto* ids = app.add_option("--ids", o->ids, "token ids to continue, verbatim: 2,119,166");
       prompt->excludes(ids);
       o->generation.add_to(app);
       app.add_option("-t,--threads", o->threads, "threads (default: physical cores)")
           ->check(CLI::Range(1, 1024));
       app.add_option("--block", o->block, "most prompt tokens per step; 1 = token by token")
           ->check(CLI::Range(1, 65536));
       app.add_flag("--json", o->json, "print {\"prompt_ids\":…,\"ids\":…,\"text\":…} and nothing else");
       add_load_flags(app, o->load);
       return [o, prompt] {
         o->has_prompt = prompt->count() > 0;
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc
