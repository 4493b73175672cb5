#include "tools/serve/token_probabilities.h"

namespace lmc::serve {

Json token_probabilities(const Service& service, std::span<const TokenChoice> tokens, bool with_ids) {
  const auto token = [&](int32_t id, double logprob) {
    const std::string text = service.token_text(id);
    Json bytes = Json::array();
    for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
    Json out = {{"token", text}, {"bytes", std::move(bytes)}, {"logprob", logprob}};
    if (with_ids) out["id"] = id;
    return out;
  };
  Json out = Json::array();
  for (const TokenChoice& t : tokens) {
    Json one = token(t.id, t.logprob);
    one["top_logprobs"] = Json::array();
    for (const auto& other : t.top) one["top_logprobs"].push_back(token(other.id, other.logprob));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace lmc::serve
