// POST /v1/responses: the text and the function calls of OpenAI's newer interface, without anything stored.
#include "tools/serve/chat_prompt.h"
#include "tools/serve/routes/openai.h"

namespace lmc::serve::openai_responses_route {
namespace {

class Responses : public AnswerWriter {
 public:
  Responses(Service& service, const Call& call, const Json& tools)
      : asked_(call.asked), id_(object_id("resp-", call)), message_id_(object_id("msg-", call)) {
    model_ = model_name(service, asked_);
    if (!tools.is_null()) tools_.emplace(tool_marks_of(service.template_source()), tool_names(tools));
  }

  Json whole(std::span<const Choice> choices) override {
    const Choice& c = choices[0];
    text_ = show(c.text);
    text_ += finish();
    Json out = envelope(status(c));
    if (!text_.empty() || calls_.empty()) out["output"].push_back(message("completed"));
    for (size_t i = 0; i < calls_.size(); ++i) out["output"].push_back(call_item(i, "completed"));
    return with_ending(out, choices);
  }

  std::string begin() override {
    std::string out = event("response.created", {{"response", envelope("in_progress")}});
    out += event("response.in_progress", {{"response", envelope("in_progress")}});
    return out;
  }
  std::string piece(const Choice&, const std::string& text, std::span<const TokenChoice>) override {
    return delta(show(text));
  }
  std::string ended(const Choice&) override {
    std::string out = delta(finish());
    if (calls_.empty()) out += open_message();
    if (message_open_) {
      const Json at = {{"item_id", message_id_}, {"output_index", 0}, {"content_index", 0}};
      out += event("response.output_text.done", at, {{"text", text_}, {"logprobs", Json::array()}});
      out += event("response.content_part.done", at, {{"part", part()}});
      out += event("response.output_item.done", {{"output_index", 0}, {"item", message("completed")}});
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      const size_t place = i + (message_open_ ? 1 : 0);
      const Json done = call_item(i, "completed");
      Json begun = call_item(i, "in_progress");
      begun["arguments"] = "";
      const Json at = {{"item_id", done["id"]}, {"output_index", place}};
      out += event("response.output_item.added", {{"output_index", place}, {"item", begun}});
      out += event("response.function_call_arguments.delta", at, {{"delta", done["arguments"]}});
      out += event("response.function_call_arguments.done", at, {{"arguments", done["arguments"]}});
      out += event("response.output_item.done", {{"output_index", place}, {"item", done}});
    }
    return out;
  }
  std::string last(std::span<const Choice> choices) override {
    Json r = envelope(status(choices[0]));
    if (message_open_) r["output"].push_back(message("completed"));
    for (size_t i = 0; i < calls_.size(); ++i) r["output"].push_back(call_item(i, "completed"));
    r = with_ending(r, choices);
    const bool whole = status(choices[0]) == "completed";
    return event(whole ? "response.completed" : "response.incomplete", {{"response", r}});
  }
  std::string failed(const RequestError& e) override {
    Json r = envelope("failed");
    r["error"] = {{"code", e.code.empty() ? "server_error" : e.code}, {"message", e.what()}};
    return event("response.failed", {{"response", r}});
  }

 private:
  static std::string status(const Choice& c) {
    return c.finish_reason() == "length" ? "incomplete" : "completed";
  }

  Json envelope(const std::string& status) const {
    return {{"id", id_},
            {"object", "response"},
            {"created_at", created_},
            {"status", status},
            {"background", false},
            {"error", nullptr},
            {"incomplete_details", nullptr},
            {"instructions", asked_.system.empty() ? Json() : Json(asked_.system)},
            {"max_output_tokens", asked_.options.max_tokens < 0 ? Json() : Json(asked_.options.max_tokens)},
            {"model", model_},
            {"output", Json::array()},
            {"parallel_tool_calls", true},
            {"previous_response_id", nullptr},
            {"store", false},
            {"temperature", asked_.options.sampler.temperature},
            {"text", {{"format", {{"type", "text"}}}}},
            {"tool_choice", asked_.tool_choice.is_null() ? Json("auto") : asked_.tool_choice},
            {"tools", Json::array()},
            {"top_p", asked_.options.sampler.top_p},
            {"truncation", "disabled"},
            {"usage", nullptr},
            {"metadata", Json::object()}};
  }
  Json with_ending(Json out, std::span<const Choice> choices) const {
    if (out["status"] == "incomplete") out["incomplete_details"] = {{"reason", "max_output_tokens"}};
    const Json u = usage_of(choices);
    out["usage"] = {{"input_tokens", u["prompt_tokens"]},
                    {"input_tokens_details", u["prompt_tokens_details"]},
                    {"output_tokens", u["completion_tokens"]},
                    {"output_tokens_details", {{"reasoning_tokens", 0}}},
                    {"total_tokens", u["total_tokens"]}};
    return out;
  }
  Json part() const {
    return {{"type", "output_text"},
            {"text", text_},
            {"annotations", Json::array()},
            {"logprobs", Json::array()}};
  }
  Json message(const char* status) const {
    return {{"id", message_id_},
            {"type", "message"},
            {"status", status},
            {"role", "assistant"},
            {"content", Json::array({part()})}};
  }
  Json call_item(size_t i, const char* status) const {
    const std::string number = std::to_string(i);
    return {{"id", "fc-" + id_ + "-" + number},
            {"type", "function_call"},
            {"status", status},
            {"call_id", "call-" + id_ + "-" + number},
            {"name", calls_[i].name},
            {"arguments", dump(calls_[i].arguments)}};
  }

  std::string show(const std::string& text) { return tools_ ? tools_->push(text) : text; }
  std::string finish() {
    if (!tools_) return "";
    std::string left = tools_->finish();
    calls_ = tools_->calls();
    return left;
  }

  std::string open_message() {
    if (message_open_) return "";
    message_open_ = true;
    Json item = message("in_progress");
    item["content"] = Json::array();
    std::string out = event("response.output_item.added", {{"output_index", 0}, {"item", item}});
    out += event("response.content_part.added",
                 {{"item_id", message_id_}, {"output_index", 0}, {"content_index", 0}, {"part", part()}});
    return out;
  }
  std::string delta(const std::string& text) {
    if (text.empty()) return "";
    std::string out = open_message();
    text_ += text;
    return out += event("response.output_text.delta",
                        {{"item_id", message_id_}, {"output_index", 0}, {"content_index", 0}},
                        {{"delta", text}, {"logprobs", Json::array()}});
  }
  std::string event(const std::string& type, const Json& what, const Json& more = Json::object()) {
    Json out = {{"type", type}, {"sequence_number", sequence_++}};
    out.update(what);
    out.update(more);
    return "event: " + type + "\n" + server_event(out);
  }

  Asked asked_;
  std::string id_, message_id_, model_;
  std::optional<ToolCallText> tools_;
  std::vector<ToolCall> calls_;
  std::string text_;
  bool message_open_ = false;
  int64_t sequence_ = 0, created_ = now_seconds();
};

[[noreturn]] void wrong(const std::string& where, const std::string& what) {
  throw RequestError(400, "'" + where + "' " + what, where);
}

// The items of `input` as messages.
Json messages_in(const Asked& asked) {
  Json out = Json::array();
  if (!asked.system.empty()) out.push_back({{"role", "system"}, {"content", asked.system}});
  if (asked.prompt.is_string()) {
    out.push_back({{"role", "user"}, {"content", asked.prompt}});
    return out;
  }
  if (!asked.prompt.is_array() || asked.prompt.empty()) wrong("input", "must be a string or a list of items");
  for (size_t i = 0; i < asked.prompt.size(); ++i) {
    const Json& item = asked.prompt[i];
    const std::string where = "input[" + std::to_string(i) + "]";
    if (!item.is_object()) wrong(where, "must be an object");
    const Json type = item.contains("type") ? item["type"] : Json("message");
    if (type == "message") {
      out.push_back(item);
    } else if (type == "function_call") {
      Json call = {{"type", "function"},
                   {"function",
                    {{"name", item.value("name", Json())}, {"arguments", item.value("arguments", Json())}}}};
      if (item.contains("call_id")) call["id"] = item["call_id"];
      out.push_back({{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({call})}});
    } else if (type == "function_call_output") {
      out.push_back({{"role", "tool"},
                     {"content", item.value("output", Json())},
                     {"tool_call_id", item.value("call_id", Json())}});
    } else {
      wrong(where + ".type", "must be message, function_call or function_call_output");
    }
  }
  return out;
}

// {"type": "function", "name": …} has its name where chat has a function around it.
Json chat_tools(const Json& tools) {
  if (!tools.is_array()) return tools;
  Json out = Json::array();
  for (const Json& tool : tools) {
    if (!tool.is_object() || !tool.contains("type") || tool["type"] != "function" ||
        tool.contains("function")) {
      out.push_back(tool);
      continue;
    }
    Json function = tool;
    function.erase("type");
    function.erase("strict");
    out.push_back({{"type", "function"}, {"function", function}});
  }
  return out;
}

void run(Service& service, Call& call) {
  Asked& asked = call.asked;
  asked.messages = messages_in(asked);
  asked.tools = chat_tools(asked.tools);
  const Json tools = tools_of(service.template_source(), asked);
  force_call(service.template_source(), tools, asked);
  AnswerPlan plan{{chat_prompt(service, asked, tools)}};
  plan.skip_special = tools.is_null();
  answer(service, call, std::move(plan), std::make_unique<Responses>(service, call, tools));
}

const RegisterRoute kRoute(
    {"POST",
     "/v1/responses",
     Dialect::openai,
     "the next message of a conversation, in the newer form; nothing is stored",
     {text("model", &Asked::model, "any name: there is one model"),
      any("input", &Asked::prompt, "string or list", "a text, or messages, function calls and their outputs"),
      text("instructions", &Asked::system, "the system message"),
      most_tokens("max_output_tokens", 1, "most tokens to make; to the end of the context if it is left out"),
      number("temperature", &SamplerOptions::temperature, 0, 100, "0: always the likeliest token"),
      number("top_p", &SamplerOptions::top_p, 0, 1, "draw among the likeliest that make up p"),
      seed_field(),
      flag("stream", &Asked::stream, "send the answer as it comes"),
      any("tools", &Asked::tools, "list", "functions that the model may call, if its template knows tools"),
      any("tool_choice", &Asked::tool_choice, "string or object",
          "auto, none, required, or a function that must be called"),
      field("text", "object", "format: of type text, json_object or json_schema: what the answer must be",
            [](const Json& v, Asked& a) {
              if (!v.is_object()) throw RequestError(400, "must be an object");
              if (v.contains("format")) read_response_format(v["format"], a);
            }),
      refused("previous_response_id", {}, "is not supported: nothing is stored"),
      refused("conversation", {}, "is not supported: nothing is stored"),
      refused("prompt", {}, "is not supported: nothing is stored"),
      refused("background", {false}, "is not supported: answers come at once"),
      refused("truncation", {"disabled"}, "must be disabled"),
      refused("top_logprobs", {0}, "is not supported here: /v1/chat/completions has it"),
      ignored("include", "there is nothing else to tell"),
      ignored("stream_options", "usage is always told"),
      ignored("store", "nothing is stored"),
      ignored("metadata", "for the caller's own use"),
      ignored("parallel_tool_calls", "the model decides"),
      ignored("max_tool_calls", "the model decides"),
      ignored("reasoning", "the model thinks as it does"),
      ignored("service_tier", "there is one"),
      ignored("prompt_cache_key", "prompts that begin alike are found anyway"),
      ignored("prompt_cache_retention", "likewise"),
      ignored("safety_identifier", "for the caller's own use"),
      ignored("user", "for the caller's own use")},
     run,
     openai_defaults()});

}  // namespace
}  // namespace lmc::serve::openai_responses_route
