// POST /completion: text that goes on with a prompt, as llama.cpp's server has it.
#include <algorithm>

#include "tools/serve/routes/llama_cpp.h"
#include "tools/serve/token_probabilities.h"

namespace lmc::serve {

Fields llama_cpp_sampling() {
  const std::string off = "is not supported: it must be off";
  return joined(
      {{most_tokens("n_predict", -1, "most tokens to make; -1: to the end of the context")},
       drawing_fields(),
       {
           number("repeat_penalty", &SamplerOptions::repetition_penalty, 1e-3, 1e3,
                  "makes earlier tokens less likely; 1: no"),
           number("presence_penalty", &SamplerOptions::presence_penalty, -100, 100,
                  "subtracted from the logits of earlier tokens"),
           number("frequency_penalty", &SamplerOptions::frequency_penalty, -100, 100,
                  "the same, as many times as each came"),
           repeat_last_n_field("how many tokens back penalties look, the prompt's too; 0: none, -1: all"),
           seed_field(),
           stop_field("stop", 16),
           logit_bias_field(),
           flag("ignore_eos", &Asked::ignore_eos, "go on past the end-of-sequence token"),
           flag("stream", &Asked::stream, "send the answer as it comes"),
           refused("typical_p", {1}, off),
           refused("mirostat", {0}, off),
           refused("dry_multiplier", {0}, off),
           refused("xtc_probability", {0}, off),
           refused("dynatemp_range", {0}, off),
           refused("top_n_sigma", {-1}, off),
           refused("post_sampling_probs", {false}, off),
           ignored("cache_prompt", "prompts that begin alike are found anyway"),
           ignored("id_slot", "the first that is free"),
           ignored("n_keep", "the context is not shifted"),
           ignored("timings_per_token", "the last piece has them"),
           ignored("samplers", "their order is llama.cpp's usual one"),
       }});
}

Asked llama_cpp_defaults() {
  Asked out;
  SamplerOptions& s = out.options.sampler;
  s.temperature = 0.8;
  s.top_k = 40;
  s.top_p = 0.95;
  s.min_p = 0.05;
  out.options.max_tokens = -1;
  return out;
}

Json settings_of(const Asked& asked) {
  const SamplerOptions& s = asked.options.sampler;
  return {{"n_predict", asked.options.max_tokens},
          {"temperature", s.temperature},
          {"top_k", s.top_k},
          {"top_p", s.top_p},
          {"min_p", s.min_p},
          {"repeat_penalty", s.repetition_penalty},
          {"repeat_last_n", s.repetition_window > 0 ? s.repetition_window : -1 - s.repetition_window},
          {"presence_penalty", s.presence_penalty},
          {"frequency_penalty", s.frequency_penalty},
          {"stop", asked.stops},
          {"ignore_eos", asked.ignore_eos},
          {"stream", asked.stream},
          {"n_probs", asked.logprobs ? asked.top_logprobs : 0}};
}

Json timings_of(const Choice& c) {
  const Generated& g = c.generated;
  const auto per = [](double a, double b) { return b > 0 ? a / b : 0.0; };
  const auto fed = static_cast<double>(c.prompt_tokens - c.reused_tokens);
  const auto made = static_cast<double>(g.ids.size());
  const double seconds = g.decode_seconds;  // of all but the first
  Json out = {{"cache_n", c.reused_tokens},
              {"prompt_n", c.prompt_tokens - c.reused_tokens},
              {"prompt_ms", g.prompt_seconds * 1e3},
              {"prompt_per_token_ms", per(g.prompt_seconds * 1e3, fed)},
              {"prompt_per_second", per(fed, g.prompt_seconds)},
              {"predicted_n", g.ids.size()},
              {"predicted_ms", seconds * 1e3},
              {"predicted_per_token_ms", per(seconds * 1e3, made - 1)},
              {"predicted_per_second", per(made - 1, seconds)}};
  if (g.drafted > 0) {
    out["draft_n"] = g.drafted;
    out["draft_n_accepted"] = g.accepted;
  }
  return out;
}

}  // namespace lmc::serve

namespace lmc::serve::llama_cpp_completion_route {
namespace {

class Completion : public AnswerWriter {
 public:
  Completion(Service& service, const Call& call)
      : service_(service), asked_(call.asked), probabilities_(call.asked.logprobs) {}

  Json whole(std::span<const Choice> choices) override {
    if (choices.size() == 1) return last_of(choices[0], choices[0].text, choices[0].tokens);
    Json out = Json::array();
    for (const Choice& c : choices) out.push_back(last_of(c, c.text, c.tokens));
    return out;
  }
  std::string piece(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens) override {
    Json ids = Json::array();
    for (const TokenChoice& t : tokens) ids.push_back(t.id);
    Json out = {{"index", c.index}, {"content", text}, {"tokens", ids}, {"stop", false}};
    if (probabilities_) out["completion_probabilities"] = token_probabilities(service_, tokens, true);
    return server_event(out);
  }
  std::string ended(const Choice& c) override { return server_event(last_of(c, "", {})); }
  std::string last(std::span<const Choice>) override { return ""; }
  std::string failed(const RequestError& e) override {
    return server_event(error_body(Dialect::llama_cpp, e));
  }

 private:
  static const char* stop_type(const Choice& c) {
    if (c.stop_string) return "word";
    return c.generated.reason == StopReason::stop_id ? "eos" : "limit";
  }

  Json last_of(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens) const {
    const std::string& all = c.text;
    Json out = {{"index", c.index},
                {"content", text},
                {"tokens", asked_.stream ? Json::array() : Json(c.generated.ids)},
                {"id_slot", -1},
                {"stop", true},
                {"model", service_.options().model},
                {"tokens_predicted", c.generated.ids.size()},
                {"tokens_evaluated", c.prompt_tokens},
                {"generation_settings", settings_of(asked_)},
                {"has_new_line", all.find('\n') != std::string::npos},
                {"truncated", false},
                {"stop_type", stop_type(c)},
                {"stopping_word", stopping_word(c)},
                {"tokens_cached", c.prompt_tokens + static_cast<int64_t>(c.generated.ids.size()) - 1},
                {"timings", timings_of(c)}};
    if (probabilities_ && !asked_.stream)
      out["completion_probabilities"] = token_probabilities(service_, tokens, true);
    return out;
  }

  // The text behind what was shown tells which one it was; the last token's text begins or goes on with it.
  std::string stopping_word(const Choice& c) const {
    if (!c.stop_string) return "";
    if (asked_.stops.size() == 1) return asked_.stops[0];
    const std::string full = service_.tokenizer().decode(c.generated.ids, true);
    for (const std::string& s : asked_.stops) {
      if (full.compare(std::min(c.text.size(), full.size()), s.size(), s) == 0) return s;
    }
    return "";
  }

  Service& service_;
  Asked asked_;
  bool probabilities_;
};

void run(Service& service, Call& call) {
  AnswerPlan plan{prompts_of(service, call.asked.prompt, service.options().most_texts)};
  answer(service, call, std::move(plan), std::make_unique<Completion>(service, call));
}

Fields fields() {
  return joined(
      {{any("prompt", &Asked::prompt, "string, ids, or a list of these", "what to go on with"),
        field("n_probs", "integer", "tell the probabilities of so many likely tokens beside each one",
              [](const Json& v, Asked& a) {
                a.top_logprobs = whole_in(v, 0, 100);
                a.logprobs = a.top_logprobs > 0;
              }),
        ignored("return_tokens", "they are always told")},
       llama_cpp_sampling(),
       structure_fields()});
}

const RegisterRoute kRoute({"POST", "/completion", Dialect::llama_cpp, "text that goes on with a prompt",
                            fields(), run, llama_cpp_defaults()});
const RegisterRoute kAlias({"POST", "/completions", Dialect::llama_cpp, "the same as /completion", fields(),
                            run, llama_cpp_defaults()});

}  // namespace
}  // namespace lmc::serve::llama_cpp_completion_route
