// POST /api/generate and /api/chat.
#include "tools/serve/chat_prompt.h"
#include "tools/serve/routes/ollama.h"
#include "tools/serve/token_probabilities.h"

namespace lmc::serve::ollama_answers_route {
namespace {

class OllamaAnswer : public AnswerWriter {
 public:
  OllamaAnswer(Service& service, const Call& call)
      : service_(service), model_(call.asked.model), logprobs_(call.asked.logprobs) {}

  std::string piece(const Choice& c, const std::string& text, std::span<const TokenChoice> tokens) override {
    const std::string shown = show(c, text);
    if (shown.empty() && !(logprobs_ && !tokens.empty())) return "";
    Json out = line(shown, {});
    out["done"] = false;
    if (logprobs_) out["logprobs"] = token_probabilities(service_, tokens);
    return json_line(out);
  }
  std::string ended(const Choice& c) override {
    Json calls = Json::array();
    const std::string left = finish(calls);
    std::string out;
    if (!left.empty() || !calls.empty()) {
      Json more = line(left, calls);
      more["done"] = false;
      out = json_line(more);
    }
    return out + json_line(last_line(c, "", Json::array()));
  }
  std::string last(std::span<const Choice>) override { return ""; }
  Json whole(std::span<const Choice> choices) override {
    const Choice& c = choices[0];
    std::string text = show(c, c.text);
    Json calls = Json::array();
    text += finish(calls);
    Json out = last_line(c, text, calls);
    if (logprobs_) out["logprobs"] = token_probabilities(service_, c.tokens);
    return out;
  }
  std::string failed(const RequestError& e) override { return json_line(error_body(Dialect::ollama, e)); }
  const char* stream_type() const override { return "application/x-ndjson"; }

 protected:
  virtual std::string show(const Choice&, const std::string& text) { return text; }
  virtual std::string finish(Json&) { return ""; }
  virtual void add_text(Json& out, const std::string& text, const Json& calls) const = 0;
  virtual void add_last(Json&, const Choice&) const {}

 private:
  Json line(const std::string& text, const Json& calls) const {
    Json out = {{"model", model_}, {"created_at", utc_time()}};
    add_text(out, text, calls);
    return out;
  }
  Json last_line(const Choice& c, const std::string& text, const Json& calls) const {
    Json out = line(text, calls);
    add_ending(out, c);
    add_last(out, c);
    return out;
  }

  Service& service_;
  std::string model_;
  bool logprobs_;
};

class GenerateAnswer : public OllamaAnswer {
 public:
  GenerateAnswer(Service& service, const Call& call, std::vector<int32_t> prompt)
      : OllamaAnswer(service, call), prompt_(std::move(prompt)) {}

 private:
  void add_text(Json& out, const std::string& text, const Json&) const override { out["response"] = text; }
  void add_last(Json& out, const Choice& c) const override {
    std::vector<int32_t> all = prompt_;
    all.insert(all.end(), c.generated.ids.begin(), c.generated.ids.end());
    out["context"] = all;
  }
  std::vector<int32_t> prompt_;
};

class ChatAnswer : public OllamaAnswer {
 public:
  ChatAnswer(Service& service, const Call& call, const Json& tools) : OllamaAnswer(service, call) {
    if (!tools.is_null()) tools_.emplace(tool_marks_of(service.template_source()), tool_names(tools));
  }

 private:
  std::string show(const Choice&, const std::string& text) override {
    return tools_ ? tools_->push(text) : text;
  }
  std::string finish(Json& calls) override {
    if (!tools_) return "";
    std::string left = tools_->finish();
    for (const ToolCall& call : tools_->calls())
      calls.push_back({{"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    return left;
  }
  void add_text(Json& out, const std::string& text, const Json& calls) const override {
    out["message"] = {{"role", "assistant"}, {"content", text}};
    if (!calls.empty()) out["message"]["tool_calls"] = calls;
  }
  std::optional<ToolCallText> tools_;
};

// An empty request asks for the model to be loaded, which it is.
bool only_loads(Call& call, bool empty, const char* key, const Json& value) {
  if (!empty) return false;
  Json out = {{"model", call.asked.model}, {"created_at", utc_time()}};
  out[key] = value;
  out["done"] = true;
  out["done_reason"] = "load";
  call.reply->send(json_response(out));
  return true;
}

void generate(Service& service, Call& call) {
  Asked& asked = call.asked;
  if (only_loads(call, asked.text.empty() && asked.ids.empty(), "response", "")) return;
  std::vector<int32_t> prompt = asked.ids;
  std::vector<int32_t> fresh;
  if (asked.raw || !service.has_template()) {
    fresh = service.tokenizer().encode(asked.text, prompt.empty() && !asked.raw);
  } else {
    asked.messages = Json::array();
    if (!asked.system.empty()) asked.messages.push_back({{"role", "system"}, {"content", asked.system}});
    asked.messages.push_back({{"role", "user"}, {"content", asked.text}});
    fresh = chat_prompt(service, asked, nullptr);
  }
  prompt.insert(prompt.end(), fresh.begin(), fresh.end());
  AnswerPlan plan{{prompt}};
  answer(service, call, std::move(plan), std::make_unique<GenerateAnswer>(service, call, std::move(prompt)));
}

void chat(Service& service, Call& call) {
  if (only_loads(call, call.asked.messages.is_null() || call.asked.messages == Json::array(), "message",
                 {{"role", "assistant"}, {"content", ""}}))
    return;
  const Json tools = tools_of(service.template_source(), call.asked);
  AnswerPlan plan{{chat_prompt(service, call.asked, tools)}};
  plan.skip_special = tools.is_null();
  answer(service, call, std::move(plan), std::make_unique<ChatAnswer>(service, call, tools));
}

const RegisterRoute kGenerate(
    {"POST", "/api/generate", Dialect::ollama, "an answer to one text",
     joined({{text("prompt", &Asked::text,
                   "the text; written as the model's chat template says, if it has one"),
              text("system", &Asked::system, "the system message"),
              flag("raw", &Asked::raw, "take the text as it is"),
              field("context", "ids", "what an earlier answer called so: it goes on from there",
                    [](const Json& v, Asked& a) {
                      if (!v.is_array()) throw RequestError(400, "must be a list of ids");
                      for (const Json& id : v)
                        a.ids.push_back(static_cast<int32_t>(whole_in(id, 0, INT32_MAX)));
                    }),
              refused("suffix", {""}, "is not supported: the model goes on with a prompt"),
              refused("template", {""}, "is not supported: the model has its own"),
              refused("images", {Json::array()}, "cannot be read: only text is")},
             ollama_common()}),
     generate, ollama_defaults()});

const RegisterRoute kChat({"POST", "/api/chat", Dialect::ollama, "the next message of a conversation",
                           joined({{any("messages", &Asked::messages, "list", "of role and content"),
                                    any("tools", &Asked::tools, "list",
                                        "functions that the model may call, if its template knows tools")},
                                   ollama_common()}),
                           chat, ollama_defaults()});

}  // namespace
}  // namespace lmc::serve::ollama_answers_route
