// GET /health, /props, /slots and /metrics: how the server is doing.
#include <fmt/format.h>

#include "models/chat/template.h"
#include "tools/bundle/bundle_format.h"
#include "tools/serve/routes/llama_cpp.h"

namespace lmc::serve::llama_cpp_state_route {
namespace {

void health(Service&, Call& call) { call.reply->send(json_response({{"status", "ok"}})); }

void props(Service& service, Call& call) {
  const auto text = find_chat_template(service.bundle_path());
  Json settings = {{"n_ctx", service.batcher().context()},
                   {"params", settings_of(service.defaults(llama_cpp_defaults()))}};
  call.reply->send(json_response({{"default_generation_settings", settings},
                                  {"total_slots", service.batcher().stats().slots.size()},
                                  {"model_alias", service.options().model},
                                  {"model_path", service.bundle_path()},
                                  {"chat_template", service.template_source()},
                                  {"bos_token", text ? text->bos_token : ""},
                                  {"eos_token", text ? text->eos_token : ""},
                                  {"modalities", {{"vision", false}, {"audio", false}}},
                                  {"build_info", std::string("lmc ") + kLmcVersion}}));
}

void slots(Service& service, Call& call) {
  Json out = Json::array();
  for (const BatcherStats::Slot& s : service.batcher().stats().slots) {
    out.push_back({{"id", out.size()},
                   {"id_task", s.id},
                   {"n_ctx", service.batcher().context()},
                   {"is_processing", s.id != 0},
                   {"n_prompt_tokens", s.prompt},
                   {"n_past", s.position},
                   {"n_decoded", s.made}});
  }
  call.reply->send(json_response(out));
}

// The text format of Prometheus, version 0.0.4; the names that begin with llamacpp are those of llama.cpp's
// server.
void metrics(Service& service, Call& call) {
  const BatcherStats b = service.batcher().stats();
  const ServerStats s = service.server_stats();
  std::string out;
  const auto add = [&](const char* kind, const char* name, const char* doc, double value) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, doc, kind, value);
  };
  add("counter", "llamacpp:prompt_tokens_total", "Prompt tokens fed.", static_cast<double>(b.prompt_tokens));
  add("counter", "llamacpp:tokens_predicted_total", "Tokens chosen.", static_cast<double>(b.chosen_tokens));
  add("counter", "llamacpp:n_decode_total", "Steps.", static_cast<double>(b.steps));
  add("gauge", "llamacpp:requests_processing", "Texts in the making.", static_cast<double>(b.running));
  add("gauge", "llamacpp:requests_deferred", "Texts that wait.", static_cast<double>(b.waiting));
  add("counter", "lmc:step_seconds_total", "Time spent in steps.", b.step_seconds);
  add("counter", "lmc:reused_tokens_total", "Prompt tokens found in the cache.",
      static_cast<double>(b.reused_tokens));
  add("counter", "lmc:drafted_tokens_total", "Guessed tokens fed for verification.",
      static_cast<double>(b.drafted_tokens));
  add("counter", "lmc:accepted_tokens_total", "Guessed tokens found right.",
      static_cast<double>(b.accepted_tokens));
  add("counter", "lmc:preempted_total", "Times a text gave up its memory for an older one.",
      static_cast<double>(b.preempted));
  add("gauge", "lmc:kv_sequence_bytes", "KV cache of texts in the making.",
      static_cast<double>(b.sequence_bytes));
  add("gauge", "lmc:kv_kept_bytes", "KV cache of prefixes kept for later.",
      static_cast<double>(b.kept_bytes));
  add("gauge", "lmc:kv_most_bytes", "KV cache there may be.", static_cast<double>(b.most_bytes));
  add("counter", "lmc:requests_total", "HTTP requests.", static_cast<double>(service.requests()));
  add("counter", "lmc:errors_total", "HTTP requests that were refused or failed.",
      static_cast<double>(service.errors()));
  add("gauge", "lmc:connections", "Connections that are open.", static_cast<double>(s.connections));
  add("counter", "lmc:connections_total", "Connections accepted.", static_cast<double>(s.accepted));
  add("counter", "lmc:connections_refused_total", "Connections there were too many for.",
      static_cast<double>(s.refused));
  call.reply->send({200, out, "text/plain; version=0.0.4"});
}

const RegisterRoute kHealth(
    {"GET", "/health", Dialect::llama_cpp, "whether the server is there", {}, health, {}, true});
const RegisterRoute kHealthToo(
    {"GET", "/v1/health", Dialect::llama_cpp, "the same as /health", {}, health, {}, true});
const RegisterRoute kProps(
    {"GET", "/props", Dialect::llama_cpp, "the model and what is usual for it", {}, props});
const RegisterRoute kSlots({"GET", "/slots", Dialect::llama_cpp, "the texts in the making", {}, slots});
const RegisterRoute kMetrics({"GET", "/metrics", Dialect::llama_cpp, "counters for Prometheus", {}, metrics});

}  // namespace
}  // namespace lmc::serve::llama_cpp_state_route
