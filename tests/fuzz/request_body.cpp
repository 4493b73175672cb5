// The JSON of a request: the fields of every route, messages, tools; then as what a model wrote, in which
// calls are found.
#include <algorithm>

#include "fuzz.h"
#include "models/text/json_text.h"
#include "tools/serve/chat_prompt.h"
#include "tools/serve/route.h"
#include "tools/serve/tool_calls.h"

namespace {

using namespace lmc::serve;

template <class F>
bool taken(F f) {
  try {
    f();
    return true;
  } catch (const lmc::Error& e) {
    lmc::fuzz::require(*e.what() != 0, "an error without a message");
    return false;
  }
}

void as_body(std::string_view text) {
  Json body;
  if (!taken([&] { body = lmc::parse_ordered_json(text, "the body"); })) return;
  for (const Route* route : all_routes()) {
    Asked asked = route->defaults;
    const bool ok =
        taken([&] { read_fields(route->fields, route->dialect == Dialect::openai, body, asked); });
    if (!ok || route->fields.empty()) continue;
    lmc::fuzz::accepted = true;
    lmc::fuzz::require(asked.n >= 1 && asked.top_logprobs >= 0 && asked.options.max_tokens >= -1,
                       "a number out of its range");
    taken([&] { messages_of("tools", asked.messages); });
    taken([&] { tool_names(tools_of("tools", asked)); });
  }
  taken([&] { dump(error_body(Dialect::openai, RequestError(400, std::string(text), "x"))); });
}

std::string shown(const ToolMarks& marks, std::string_view text, size_t piece, size_t& calls) {
  ToolCallText reader(marks, {"f", "weather"});
  std::string out;
  for (size_t at = 0; at < text.size(); at += piece) out += reader.push(text.substr(at, piece));
  out += reader.finish();
  calls = reader.calls().size();
  for (const ToolCall& c : reader.calls())
    lmc::fuzz::require(c.arguments.is_object(), "arguments that are no object");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = lmc::fuzz::text(data, size);
  as_body(text);
  for (const char* source : {"<tool_call>", "[TOOL_CALLS]", "<|tool_call|>", ""}) {
    size_t whole_calls = 0, calls = 0;
    const ToolMarks marks = tool_marks_of(source);
    const std::string whole = shown(marks, text, text.size() + 1, whole_calls);
    lmc::fuzz::require(shown(marks, text, 3, calls) == whole && calls == whole_calls,
                       "calls depend on how the text comes");
  }
  return 0;
}
