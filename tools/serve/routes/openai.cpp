#include "tools/serve/routes/openai.h"

#include <chrono>

namespace lmc::serve {

Fields openai_sampling() {
  return joined({{text("model", &Asked::model, "any name: there is one model")},
                 drawing_fields(),
                 {
                     number("repetition_penalty", &SamplerOptions::repetition_penalty, 1e-3, 1e3,
                            "makes earlier tokens less likely; 1: no"),
                     number("presence_penalty", &SamplerOptions::presence_penalty, -2, 2,
                            "subtracted from the logits of the answer's tokens so far"),
                     number("frequency_penalty", &SamplerOptions::frequency_penalty, -2, 2,
                            "the same, as many times as each came"),
                     seed_field(),
                     stop_field("stop", 16),
                     logit_bias_field(),
                     flag("ignore_eos", &Asked::ignore_eos, "go on past the end-of-sequence token"),
                     whole("n", &Asked::n, 1, 128,
                           "answers to one prompt; the seed of each is one more than of the one before"),
                     ignored("user", "for the caller's own use"),
                 }});
}

Fields openai_stream() {
  return {
      flag("stream", &Asked::stream, "send the answer as it comes"),
      field("stream_options", "object", "include_usage: a last piece says how many tokens there were",
            [](const Json& v, Asked& a) {
              if (!v.is_object()) throw RequestError(400, "must be an object");
              const auto it = v.find("include_usage");
              a.usage_in_stream = it != v.end() && it->is_boolean() && it->get<bool>();
            }),
  };
}

Asked openai_defaults() {
  Asked out;
  out.options.sampler.temperature = 1;
  out.options.sampler.counts_answer_alone = true;
  out.options.max_tokens = -1;
  return out;
}

Json usage_of(std::span<const Choice> choices) {
  int64_t prompt = 0, made = 0, reused = 0;
  size_t last = SIZE_MAX;
  for (const Choice& c : choices) {
    made += static_cast<int64_t>(c.generated.ids.size());
    if (c.prompt != last) {
      prompt += c.prompt_tokens;
      reused += c.reused_tokens;
    }
    last = c.prompt;
  }
  return {{"prompt_tokens", prompt},
          {"completion_tokens", made},
          {"total_tokens", prompt + made},
          {"prompt_tokens_details", {{"cached_tokens", reused}}}};
}

std::string object_id(const std::string& prefix, const Call& call) { return prefix + call.reply->id(); }

int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string model_name(const Service& service, const Asked& asked) {
  return asked.model.empty() ? service.options().model : asked.model;
}

}  // namespace lmc::serve
