// lmc run: text in, text out.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "runtime/generate.h"
#include "tools/command.h"
#include "tools/console.h"
#include "tools/engine.h"

namespace lmc {
namespace {

struct Options {
  std::string bundle, prompt, ids;
  GenerateOptions generate;
  LoadOptions load;
  int threads = 0;
  int64_t block = 0;
  bool json = false;
  bool ignore_eos = false;
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

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error("cannot write to standard output");
  }
}

void run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  if (!o.ids.empty()) parse_ids(o.ids);  // wrong usage is found before anything is loaded
  Engine engine(o.bundle.empty() ? newest_bundle() : o.bundle, {.threads = o.threads, .block = o.block},
                o.load);
  GenerateOptions generate_options = o.generate;
  if (!o.ignore_eos) generate_options.stop_ids = engine.bundle().info.eos_ids;
  const double load_seconds = seconds_since(start);
  const auto warming = std::chrono::steady_clock::now();
  engine.warm_up();
  engine.report();
  info("loaded in {:.0f} ms, warmed up in {:.0f} ms", load_seconds * 1e3, seconds_since(warming) * 1e3);
  const std::vector<int32_t> prompt = prompt_ids(o, engine);

  const Tokenizer* tokenizer = engine.tokenizer_or_null();
  std::optional<StreamDecoder> stream;
  if (tokenizer) stream.emplace(*tokenizer, true);
  std::string text;
  const auto show = [&](const std::string& piece) {
    text += piece;
    if (!o.json) write_out(piece);
  };
  const Generated g = generate(engine.session(), prompt, generate_options, [&](int32_t id) {
    if (stream) {
      show(stream->push(id));
    } else if (!o.json) {
      write_out(std::to_string(id) + " ");
    }
    return true;
  });
  if (stream) show(stream->flush());
  if (g.reason == StopReason::interrupted) throw Interrupted();

  if (o.json) {
    const std::string quoted =
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    write_out(fmt::format("{{\"prompt_ids\":{},\"ids\":{},\"text\":{}}}\n", id_list(prompt), id_list(g.ids),
                          quoted));
    return;
  }
  write_out("\n");
  const auto decoded = static_cast<double>(g.ids.size()) - 1;
  info("prompt {} tokens, first token after {:.0f} ms ({:.1f} tokens/s) · {} tokens, {:.1f} tokens/s",
       prompt.size(), g.prompt_seconds * 1e3, static_cast<double>(prompt.size()) / g.prompt_seconds,
       g.ids.size(), decoded > 0 ? decoded / g.decode_seconds : 0.0);
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
       app.add_option("-n,--max-tokens", o->generate.max_tokens, "most tokens to generate")
           ->check(CLI::NonNegativeNumber)
           ->capture_default_str();
       app.add_option("--temperature", o->generate.sampler.temperature, "0 = always the likeliest token")
           ->capture_default_str();
       app.add_option("--top-k", o->generate.sampler.top_k, "draw among the k likeliest; 0 = all")
           ->capture_default_str();
       app.add_option("--top-p", o->generate.sampler.top_p, "draw among the likeliest that make up p")
           ->capture_default_str();
       app.add_option("--seed", o->generate.sampler.seed, "of the draw")->capture_default_str();
       app.add_option("-t,--threads", o->threads, "threads (default: physical cores)")
           ->check(CLI::Range(1, 1024));
       app.add_option("--block", o->block, "most prompt tokens per step; 1 = token by token")
           ->check(CLI::Range(1, 65536));
       app.add_flag("--ignore-eos", o->ignore_eos, "go on past the end-of-sequence token");
       app.add_flag("--json", o->json, "print {\"prompt_ids\":…,\"ids\":…,\"text\":…} and nothing else");
       add_load_flags(app, o->load);
       return [o, prompt] {
         o->has_prompt = prompt->count() > 0;
         run(*o);
       };
     }});

}  // namespace
}  // namespace lmc
