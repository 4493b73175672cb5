// POST /v1/completions: text that goes on with a prompt.
#include <fmt/format.h>

#include "models/text/utf8.h"
#include "tools/serve/routes/openai.h"

namespace lmc::serve::openai_completions_route {
namespace {

// A token that is no whole characters is told as OpenAI tells it here: bytes:\xe2\x82.
std::string shown(const std::string& text) {
  if (tokenizer::is_valid_utf8(text)) return text;
  std::string out = "bytes:";
  for (const char c : text) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  return out;
}

class Completions : public AnswerWriter {
 public:
  Completions(Service& service, const Call& call, std::vector<std::string> echoed)
      : service_(service),
        id_(object_id("cmpl-", call)),
        model_(model_name(service, call.asked)),
        logprobs_(call.asked.logprobs),
        usage_(call.asked.usage_in_stream),
        echoed_(std::move(echoed)) {}

  Json whole(std::span<const Choice> choices) override {
    Json out = envelope();
    for (const Choice& c : choices)
      out["choices"].push_back(choice(c, echo(c) + c.text, c.tokens, echo(c).size(), c.finish_reason()));
    out["usage"] = usage_of(choices);
    return out;
  }
  std::string begin() override {
    std::string out;
    for (size_t i = 0; i < echoed_.size(); ++i) {
      Choice c;
      c.index = i;
      if (!echoed_[i].empty()) out += event(c, echoed_[i], {}, 0, nullptr);
    }
    return out;
  }
  std::string piece(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens) override {
    return event(c, text, tokens, echo(c).size() + c.text.size() - text.size(), nullptr);
  }
  std::string ended(const Choice& c) override { return event(c, "", {}, 0, c.finish_reason()); }
  std::string last(std::span<const Choice> choices) override {
    if (!usage_) return kDone;
    Json out = envelope();
    out["usage"] = usage_of(choices);
    return server_event(out) + kDone;
  }
  std::string failed(const RequestError& e) override {
    return server_event(error_body(Dialect::openai, e)) + kDone;
  }

 private:
  Json envelope() const {
    return {{"id", id_},
            {"object", "text_completion"},
            {"created", created_},
            {"model", model_},
            {"choices", Json::array()}};
  }
  std::string echo(const Choice& c) const { return c.index < echoed_.size() ? echoed_[c.index] : ""; }

  std::string event(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens,
                    size_t offset, const Json& finish) const {
    Json out = envelope();
    out["choices"].push_back(choice(c, text, tokens, offset, finish));
    if (usage_) out["usage"] = nullptr;
    return server_event(out);
  }

  Json choice(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens, size_t offset,
              const Json& finish) const {
    return {{"text", text},
            {"index", c.index},
            {"logprobs", logprobs_ && !tokens.empty() ? logprobs(tokens, offset) : Json()},
            {"finish_reason", finish}};
  }

  Json logprobs(std::span<const TokenChoice> tokens, size_t offset) const {
    Json texts = Json::array(), values = Json::array(), tops = Json::array(), offsets = Json::array();
    for (const TokenChoice& t : tokens) {
      const std::string text = service_.token_text(t.id);
      Json top = Json::object();
      for (const auto& other : t.top) top[shown(service_.token_text(other.id))] = other.logprob;
      texts.push_back(shown(text));
      values.push_back(t.logprob);
      tops.push_back(top);
      offsets.push_back(offset);
      offset += text.size();
    }
    return {{"tokens", texts}, {"token_logprobs", values}, {"top_logprobs", tops}, {"text_offset", offsets}};
  }

  Service& service_;
  std::string id_, model_;
  bool logprobs_, usage_;
  std::vector<std::string> echoed_;  // by choice
  int64_t created_ = now_seconds();
};

void run(Service& service, Call& call) {
  Asked& asked = call.asked;
  AnswerPlan plan{prompts_of(service, asked.prompt, service.options().most_texts)};
  std::vector<std::string> echoed;
  if (asked.echo) {
    for (const auto& prompt : plan.prompts) {
      const std::string text = service.tokenizer().decode(prompt, true);
      echoed.insert(echoed.end(), static_cast<size_t>(asked.n), text);
    }
  }
  answer(service, call, std::move(plan), std::make_unique<Completions>(service, call, std::move(echoed)));
}

Asked defaults() {
  Asked out = openai_defaults();
  out.options.max_tokens = 16;
  return out;
}

const RegisterRoute kRoute(
    {"POST", "/v1/completions", Dialect::openai, "text that goes on with a prompt",
     joined({{any("prompt", &Asked::prompt, "string, ids, or a list of these", "what to go on with"),
              most_tokens("max_tokens", 0, "most tokens to make; 16 if it is left out"),
              field("logprobs", "integer", "how many likely tokens to tell beside each one, up to 20",
                    [](const Json& v, Asked& a) {
                      a.logprobs = true;
                      a.top_logprobs = whole_in(v, 0, 20);
                    }),
              flag("echo", &Asked::echo, "the prompt's text comes first"),
              refused("best_of", {1}, "is not supported beyond 1: n gives as many answers"),
              refused("suffix", {""}, "is not supported: the model goes on with a prompt")},
             openai_sampling(),
             openai_stream(),
             structure_fields(),
             {response_format_field()}}),
     run, defaults()});

}  // namespace
}  // namespace lmc::serve::openai_completions_route
