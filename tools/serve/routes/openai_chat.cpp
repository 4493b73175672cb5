// POST /v1/chat/completions.
#include "tools/serve/chat_prompt.h"
#include "tools/serve/routes/openai.h"
#include "tools/serve/token_probabilities.h"

namespace lmc::serve::openai_chat_route {
namespace {

class ChatCompletions : public AnswerWriter {
 public:
  ChatCompletions(Service& service, const Call& call, const Json& tools)
      : service_(service),
        id_(object_id("chatcmpl-", call)),
        model_(model_name(service, call.asked)),
        logprobs_(call.asked.logprobs),
        usage_(call.asked.usage_in_stream) {
    const ToolMarks marks = tool_marks_of(service.template_source());
    for (int64_t i = 0; i < call.asked.n && !tools.is_null(); ++i)
      tools_.emplace_back(marks, tool_names(tools));
    texts_ = static_cast<size_t>(call.asked.n);
  }

  Json whole(std::span<const Choice> choices) override {
    Json out = envelope("chat.completion");
    for (const Choice& c : choices) {
      std::string content = show(c, c.text);
      const Json calls = finish(c, content);
      Json message = {{"role", "assistant"},
                      {"content", calls.empty() || !content.empty() ? Json(content) : Json()},
                      {"refusal", nullptr}};
      if (!calls.empty()) message["tool_calls"] = calls;
      out["choices"].push_back({{"index", c.index},
                                {"message", message},
                                {"logprobs", logprobs_ ? logprobs(c.tokens) : Json()},
                                {"finish_reason", calls.empty() ? c.finish_reason() : "tool_calls"}});
    }
    out["usage"] = usage_of(choices);
    return out;
  }

  std::string begin() override {
    std::string out;
    for (size_t i = 0; i < texts_; ++i)
      out += event(i, {{"role", "assistant"}, {"content", ""}}, {}, nullptr);
    return out;
  }
  std::string piece(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens) override {
    const std::string shown = show(c, text);
    if (shown.empty() && !(logprobs_ && !tokens.empty())) return "";
    return event(c.index, {{"content", shown}}, tokens, nullptr);
  }
  std::string ended(const Choice& c) override {
    std::string content, out;
    Json calls = finish(c, content);
    if (!content.empty()) out += event(c.index, {{"content", content}}, {}, nullptr);
    for (size_t i = 0; i < calls.size(); ++i) calls[i]["index"] = i;
    if (!calls.empty()) out += event(c.index, {{"tool_calls", calls}}, {}, nullptr);
    return out + event(c.index, Json::object(), {}, calls.empty() ? c.finish_reason() : "tool_calls");
  }
  std::string last(std::span<const Choice> choices) override {
    if (!usage_) return kDone;
    Json out = envelope("chat.completion.chunk");
    out["usage"] = usage_of(choices);
    return server_event(out) + kDone;
  }
  std::string failed(const RequestError& e) override {
    return server_event(error_body(Dialect::openai, e)) + kDone;
  }

 private:
  Json envelope(const char* object) const {
    return {{"id", id_},
            {"object", object},
            {"created", created_},
            {"model", model_},
            {"choices", Json::array()}};
  }

  std::string event(size_t index, const Json& delta, std::span<const TokenChoice> tokens,
                    const Json& finish) const {
    Json out = envelope("chat.completion.chunk");
    out["choices"].push_back({{"index", index},
                              {"delta", delta},
                              {"logprobs", logprobs_ && !tokens.empty() ? logprobs(tokens) : Json()},
                              {"finish_reason", finish}});
    if (usage_) out["usage"] = nullptr;
    return server_event(out);
  }

  std::string show(const Choice& c, const std::string& text) {
    return tools_.empty() ? text : tools_[c.index].push(text);
  }
  // Appends to `content` what was held back and is no call.
  Json finish(const Choice& c, std::string& content) {
    Json out = Json::array();
    if (tools_.empty()) return out;
    content += tools_[c.index].finish();
    for (const ToolCall& call : tools_[c.index].calls()) {
      out.push_back({{"id", "call-" + id_.substr(id_.find('-') + 1) + "-" + std::to_string(c.index) + "-" +
                                std::to_string(out.size())},
                     {"type", "function"},
                     {"function", {{"name", call.name}, {"arguments", dump(call.arguments)}}}});
    }
    return out;
  }

  Json logprobs(std::span<const TokenChoice> tokens) const {
    return {{"content", token_probabilities(service_, tokens)}, {"refusal", nullptr}};
  }

  Service& service_;
  std::string id_, model_;
  bool logprobs_, usage_;
  size_t texts_;
  std::vector<ToolCallText> tools_;  // by choice; none where no tools are offered
  int64_t created_ = now_seconds();
};

void run(Service& service, Call& call) {
  const Json tools = tools_of(service.template_source(), call.asked);
  force_call(service.template_source(), tools, call.asked);
  AnswerPlan plan{{chat_prompt(service, call.asked, tools)}};
  plan.skip_special = tools.is_null();
  answer(service, call, std::move(plan), std::make_unique<ChatCompletions>(service, call, tools));
}

const RegisterRoute kRoute(
    {"POST", "/v1/chat/completions", Dialect::openai, "the next message of a conversation",
     joined({{any("messages", &Asked::messages, "list",
                  "of role (system, developer, user, assistant, tool) and content"),
              most_tokens("max_completion_tokens", 1,
                          "most tokens to make; to the end of the context if it is left out"),
              most_tokens("max_tokens", 1, "the same, by its old name"),
              flag("logprobs", &Asked::logprobs, "tell the probability of each token"),
              whole("top_logprobs", &Asked::top_logprobs, 0, 20,
                    "and those of so many likely ones beside it"),
              any("tools", &Asked::tools, "list",
                  "functions that the model may call, if its template knows tools"),
              any("tool_choice", &Asked::tool_choice, "string or object",
                  "auto, none, required, or a function that must be called"),
              ignored("parallel_tool_calls", "the model decides"),
              response_format_field(),
              refused("functions", {}, "is out of date: use tools"),
              template_variables_field(),
              refused("function_call", {}, "is out of date: use tool_choice"),
              refused("modalities", {Json::array({"text"})}, "must be [\"text\"]"),
              refused("audio", {}, "is not supported: only text is made"),
              refused("web_search_options", {}, "is not supported: nothing is looked up"),
              ignored("prediction", "guesses are made anyway"),
              ignored("reasoning_effort", "the model thinks as it does"),
              ignored("verbosity", "likewise"),
              ignored("store", "nothing is stored"),
              ignored("metadata", "for the caller's own use"),
              ignored("service_tier", "there is one"),
              ignored("prompt_cache_key", "prompts that begin alike are found anyway"),
              ignored("prompt_cache_retention", "likewise"),
              ignored("safety_identifier", "for the caller's own use")},
             openai_sampling(),
             openai_stream(),
             structure_fields()}),
     run, openai_defaults()});

}  // namespace
}  // namespace lmc::serve::openai_chat_route
