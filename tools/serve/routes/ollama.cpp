#include "tools/serve/routes/ollama.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace lmc::serve {
namespace {

// {"temperature": 0, …}: a table of its own.
Fields option_fields() {
  return joined({drawing_fields(),
                 {
                     number("repeat_penalty", &SamplerOptions::repetition_penalty, 1e-3, 1e3, ""),
                     number("presence_penalty", &SamplerOptions::presence_penalty, -100, 100, ""),
                     number("frequency_penalty", &SamplerOptions::frequency_penalty, -100, 100, ""),
                     repeat_last_n_field(""),
                     field("num_predict", "integer", "",
                           [](const Json& v, Asked& a) {
                             const int64_t n = whole_in(v, -2, INT64_MAX);
                             a.options.max_tokens = n < 0 ? -1 : n;
                           }),
                     seed_field(),
                     stop_field("stop", 16),
                     refused("mirostat", {0}, "is not supported: it must be 0"),
                     refused("typical_p", {1}, "is not supported: it must be 1"),
                 }});
}

}  // namespace

Fields ollama_common() {
  return {
      text("model", &Asked::model, "any name: there is one model"),
      field("options", "object",
            "temperature, top_k, top_p, min_p, repeat_penalty, presence_penalty, frequency_penalty, "
            "repeat_last_n, num_predict, seed, stop",
            [](const Json& v, Asked& a) {
              static const Fields kOptions = option_fields();
              if (!v.is_object()) throw RequestError(400, "must be an object");
              read_fields(kOptions, false, v, a);
            }),
      flag("stream", &Asked::stream, "send the answer as it comes; true if it is left out"),
      field("format", "string or object", "json, or a JSON Schema: what the answer must be",
            [](const Json& v, Asked& a) {
              if (v == "") return;
              a.structure = v == "json" ? Structure{Structure::Kind::json_object} : schema_structure(v);
            }),
      refused("think", {false}, "is not supported: the model thinks as it does"),
      flag("logprobs", &Asked::logprobs, "tell the probability of each token"),
      whole("top_logprobs", &Asked::top_logprobs, 0, 20, "and those of so many likely ones beside it"),
      ignored("keep_alive", "the model stays"),
  };
}

Asked ollama_defaults() {
  Asked out;
  SamplerOptions& s = out.options.sampler;
  s.temperature = 0.8;
  s.top_k = 40;
  s.top_p = 0.9;
  s.repetition_penalty = 1.1;
  out.options.max_tokens = -1;
  out.stream = true;
  return out;
}

std::string utc_time(int64_t seconds) {
  const std::time_t t = seconds;
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string utc_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  std::string out = utc_time(micros / 1'000'000);
  out.insert(out.size() - 1, fmt::format(".{:06}", micros % 1'000'000));
  return out;
}

void add_ending(Json& out, const Choice& c) {
  const auto nanos = [](double seconds) { return static_cast<int64_t>(seconds * 1e9); };
  const Generated& g = c.generated;
  out["done"] = true;
  out["done_reason"] = c.finish_reason();
  out["total_duration"] = nanos(g.prompt_seconds + g.decode_seconds);
  out["load_duration"] = 0;
  out["prompt_eval_count"] = c.prompt_tokens;
  out["prompt_eval_duration"] = nanos(g.prompt_seconds);
  out["eval_count"] = g.ids.size();
  out["eval_duration"] = nanos(g.decode_seconds);
}

std::string json_line(const Json& json) { return dump(json) + "\n"; }

Json details_of(const Service& service) {
  const BundleInfo& i = service.bundle_info();
  const auto millions = static_cast<double>(i.parameters) / 1e6;
  return {{"parent_model", ""},
          {"format", "lmc"},
          {"family", i.model},
          {"families", Json::array({i.model})},
          {"parameter_size",
           millions >= 1000 ? fmt::format("{:.1f}B", millions / 1000) : fmt::format("{:.2f}M", millions)},
          {"quantization_level", "unknown"}};
}

std::string tagged(const std::string& name) {
  return name.find(':') == std::string::npos ? name + ":latest" : name;
}

}  // namespace lmc::serve
