// lmc serve: a server for the clients of OpenAI, Ollama and llama.cpp.
#include <fmt/format.h>
#include <malloc.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "runtime/threads.h"
#include "tools/bundle/idle_check.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/generate/page_store.h"
#include "tools/generate/ranks.h"
#include "tools/generate/speculation.h"
#include "tools/generate/template_variables.h"
#include "tools/serve/http/server.h"
#include "tools/serve/service.h"
#include "tools/system/files.h"

namespace lmc::serve_command {
namespace {

using namespace std::chrono_literals;

constexpr auto kGrace = 8s;      // for answers, when the server ends
constexpr auto kLastWords = 1s;  // and for what says so to reach the clients

struct Options {
  std::string bundle, key_file, alias, prompt_cache;
  serve::ServerOptions server;
  serve::ServiceOptions service;
  BatcherOptions batcher;
  SpeculationFlags speculation;
  TemplateVariables variables;
  std::string sampling = "checkpoint";
  EngineLoad load;
  std::string scheduler = kUsualScheduler;
  std::vector<std::string> hosts;
  uint64_t kv_memory = 0;
  int64_t context = 0, slots = 0, connections = 512, read_seconds = 30, write_seconds = 30;
  uint64_t most_body = 8 << 20;
  int port = 8080, threads = 0;
};

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// As others would have to call a server that only this machine reaches.
std::vector<std::string> host_names(const Options& o) {
  if (!is_loopback(o.server.host) && o.hosts.empty()) return {};
  std::vector<std::string> out = o.hosts;
  out.insert(out.end(), {"localhost", "127.0.0.1", "[::1]", o.server.host});
  return out;
}

// Large blocks go back to the system when they are freed: glibc by itself raises that border to 32 MB as it
// goes.
void keep_memory_small() {
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  ::mallopt(M_ARENA_MAX, 4);
}

void run(Options o) {
  keep_memory_small();
  if (o.server.tls_certificate.empty() != o.server.tls_key.empty())
    throw UsageError("--tls-cert and --tls-key go together");
  o.speculation.check();
  o.speculation.check_several("lmc serve");
  o.service.template_variables = o.variables.all();
  if (!o.key_file.empty()) o.service.access.keys = serve::read_keys(o.key_file);
  o.service.access.hosts = host_names(o);
  o.server.port = o.port;
  o.server.limits.connections = static_cast<size_t>(o.connections);
  o.server.limits.body = o.most_body;
  o.server.limits.read = std::chrono::seconds(o.read_seconds);
  o.server.limits.write = std::chrono::seconds(o.write_seconds);

  if (o.bundle.empty()) o.bundle = newest_bundle();
  // The network has a thread of its own.
  const int computing = o.threads > 0 ? o.threads : default_threads();
  Collective* const ranks = ranks_of_this_run(computing + 1);
  if (ranks && !o.prompt_cache.empty())
    throw UsageError("--prompt-cache keeps the caches of one process: leave it out on several ranks");
  Engine engine(o.bundle, {.threads = o.threads, .scheduler = o.scheduler, .collective = ranks}, o.load,
                o.context);
  if (engine.follows()) return;
  o.service.model = !o.alias.empty() ? o.alias : std::filesystem::path(engine.bundle().path).stem().string();
  const int64_t most = engine.session().most_sequences();
  if (o.slots > most)
    throw UsageError(
        fmt::format("--slots {}: a step of this bundle takes at most {} sequences", o.slots, most));
  o.batcher.slots = o.slots > 0 ? o.slots : std::min(o.batcher.slots, most);
  o.batcher.kv_bytes = static_cast<int64_t>(o.kv_memory);
  if (o.sampling == "checkpoint") o.service.sampling = engine.bundle().info.sampling;
  o.batcher.drafter = o.speculation.drafter(engine);
  engine.warm_up();
  engine.report();

  Batcher batcher(engine.session(), o.batcher);
  std::optional<PageStore> store;
  if (!o.prompt_cache.empty()) {
    std::filesystem::create_directories(o.prompt_cache);
    store.emplace(o.prompt_cache, sha256_of_file(engine.bundle().file("manifest.json")));
    info("{} pages of prompts from {}", store->load(batcher), o.prompt_cache);
  }
  serve::Service service(engine, batcher, o.service);
  serve::HttpServer server(o.server, [&](serve::Request request, std::shared_ptr<serve::Reply> reply) {
    service.handle(std::move(request), std::move(reply));
  });
  service.server_stats = [&] { return server.stats(); };
  info("{} slots; listening on {}", o.batcher.slots, server.address());
  const auto busy = [&] {
    const BatcherStats now = batcher.stats();
    return now.running + now.waiting > 0;
  };
  const IdleCheck check(engine.bundle(), busy, [&] {
    service.stop();
    batcher.stop(0ms);
  });
  std::thread steps([&] {
    batcher.run();
    server.stop(kLastWords);
  });
  int signals = 0;
  server.run([&] {
    if (++signals == 1) {
      info("ending: answers have {} s; again to end at once", kGrace.count());
    } else {
      info("ending at once");
    }
    service.stop();
    batcher.stop(signals == 1 ? std::chrono::milliseconds(kGrace) : 0ms);
  });
  service.finish();
  steps.join();
  check.throw_if_damaged();
  if (store) store->save(batcher);
  info("ended");
}

const RegisterCommand kServe(
    {"serve", "answer clients of OpenAI, Ollama and llama.cpp over HTTP", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("bundle", o->bundle, "the bundle; the newest *.lmc here if left out").type_name("BUNDLE");
       add_trust_flag(flags);
       flags.option("--host", o->server.host, "the address to listen on; 0.0.0.0 for all of this machine's")
           .shows_default();
       flags.option("--port", o->port, "the port; 0 takes one that is free, and says which")
           .range(0, 65535)
           .shows_default();
       flags.option("--alias", o->alias, "the model's name in lists and answers (default: the bundle's)");
       flags.option("--slots", o->slots, "answers in the making at a time (default: 8)").range(1, 65536);
       flags.option("--queue", o->batcher.queue, "requests that wait at most; further ones are told 429")
           .range(0, 65536)
           .shows_default();
       flags
           .option(
               "--kv-memory", o->kv_memory,
               "of all answers' caches and of prefixes kept for later: 4G (default: a quarter of the memory)")
           .byte_size(1 << 20, uint64_t{1} << 50);
       flags
           .option("--prompt-cache", o->prompt_cache,
                   "a folder that keeps what prompts left in the KV cache from one start to the next")
           .type_name("FOLDER");
       flags
           .option("--prefill-share", o->batcher.prefill_share,
                   "the share of a step's time that prompts may take while answers are being made")
           .shows_default();
       o->speculation.add_to(flags);
       o->variables.add_to(flags);
       flags
           .option("--sampling", o->sampling,
                   "how tokens are drawn where a request does not say it: checkpoint, as its "
                   "generation_config.json advises, if it does; api, as each interface says")
           .one_of({"checkpoint", "api"})
           .shows_default();
       flags.option("--timeout", o->service.seconds, "seconds for an answer, waiting included; 0 = no limit")
           .not_negative()
           .shows_default();
       flags.option("--api-key-file", o->key_file, "keys, one a line: requests must bring one as bearer")
           .type_name("FILE");
       flags.option("--cors-origin", o->service.access.cors_origin,
                    "whose pages may use the server: https://example.org, or * for all (default: its own)");
       flags
           .option("--allowed-host", o->hosts,
                   "a name by which the server may be called, beside localhost; repeatable")
           .one_value_each();
       flags.option("--tls-cert", o->server.tls_certificate, "the certificate's chain in PEM: HTTPS")
           .type_name("FILE");
       flags.option("--tls-key", o->server.tls_key, "its private key in PEM").type_name("FILE");
       flags.option("--max-connections", o->connections, "further ones are told 503")
           .range(1, 65536)
           .shows_default();
       flags.option("--max-body", o->most_body, "bytes of a request")
           .byte_size(1024, 256 << 20)
           .shows_default();
       flags.option("--read-timeout", o->read_seconds, "seconds for a client to send a request")
           .range(1, 86400)
           .shows_default();
       flags.option("--write-timeout", o->write_seconds, "seconds for a client to take 64 KB of an answer")
           .range(1, 86400)
           .shows_default();
       add_context_flag(flags, o->context);
       add_threads_flag(flags, o->threads);
       add_scheduler_flag(flags, o->scheduler);
       add_load_flags(flags, o->load);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::serve_command
