#include "tools/generate/answer_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/cli/ids.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json choice_json(const Tokenizer* tokenizer, int32_t id, double logprob) {
  Json out = {{"id", id}};
  if (tokenizer) out["token"] = tokenizer->decode(std::span(&id, 1), false);
  out["logprob"] = std::isfinite(logprob) ? Json(logprob) : Json(nullptr);  // null: it cannot come
  return out;
}

Json logprobs_json(const Tokenizer* tokenizer, const std::vector<TokenChoice>& choices) {
  Json out = Json::array();
  for (const TokenChoice& c : choices) {
    Json one = choice_json(tokenizer, c.id, c.logprob);
    one["top"] = Json::array();
    for (const TokenChoice::Other& o : c.top) one["top"].push_back(choice_json(tokenizer, o.id, o.logprob));
    out.push_back(std::move(one));
  }
  return out;
}

Json timings_json(size_t fed, const Generated& g) {
  const auto per_second = [](double n, double seconds) { return n > 0 && seconds > 0 ? n / seconds : 0.0; };
  const auto made = static_cast<double>(g.ids.size());
  Json out = {{"prompt_n", fed},
              {"prompt_ms", g.prompt_seconds * 1e3},
              {"prompt_per_second", per_second(static_cast<double>(fed), g.prompt_seconds)},
              {"predicted_n", g.ids.size()},
              {"predicted_ms", g.decode_seconds * 1e3},  // of all but the first
              {"predicted_per_second", per_second(made - 1, g.decode_seconds)}};
  if (g.drafted > 0) {
    out["draft_n"] = g.drafted;
    out["draft_n_accepted"] = g.accepted;
  }
  return out;
}

}  // namespace

std::string answer_json(const Engine& engine, std::span<const int32_t> prompt, size_t cached,
                        const Answer& answer, const AnswerJsonOptions& options) {
  const Tokenizer* const tokenizer = engine.tokenizer_or_null();
  const Generated& g = answer.generated;
  std::string out = "{\"prompt_ids\":" + id_list(prompt) + ",\"ids\":" + id_list(g.ids) +
                    ",\"text\":" + dumped(tokenizer ? answer.text : "");
  const auto add = [&](const char* key, const Json& value) {
    out += std::string(",\"") + key + "\":" + dumped(value);
  };
  add("stop_reason", stop_reason_name(answer));
  if (!g.failure.empty()) add("error", g.failure);
  Json usage = {{"prompt_tokens", prompt.size()}, {"completion_tokens", g.ids.size()}};
  if (cached > 0) usage["cached_tokens"] = cached;
  add("usage", usage);
  if (!answer.choices.empty()) add("logprobs", logprobs_json(tokenizer, answer.choices));
  if (options.seed) add("seed", *options.seed);
  if (options.timings) add("timings", timings_json(prompt.size() - cached, g));
  return out + "}\n";
}

std::string error_json(const std::string& why) { return dumped(Json{{"error", why}}) + "\n"; }

}  // namespace lmc
