#include "tools/serve/chat_prompt.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/text/json_text.h"

namespace lmc::serve {
namespace {

constexpr size_t kMostMessages = 4096, kMostTools = 256;

[[noreturn]] void wrong(const std::string& where, const std::string& what) {
  throw RequestError(400, "'" + where + "' " + what, where);
}

std::string text_of(const Json& content, const std::string& where) {
  if (content.is_null()) return "";
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) wrong(where, "must be a string or a list of parts");
  std::string out;
  for (size_t i = 0; i < content.size(); ++i) {
    const Json& part = content[i];
    const std::string at = fmt::format("{}[{}]", where, i);
    if (!part.is_object() || !part.contains("type") || !part["type"].is_string())
      wrong(at, "must be an object with a type");
    const std::string type = part["type"].get<std::string>();
    if (type != "text" && type != "input_text" && type != "output_text")
      wrong(at + ".type", "is '" + type + "': only text is read");
    if (!part.contains("text") || !part["text"].is_string()) wrong(at + ".text", "must be a string");
    out += part["text"].get_ref<const std::string&>();
  }
  return out;
}

Json call_of(const Json& call, const std::string& where) {
  if (!call.is_object() || !call.contains("function") || !call["function"].is_object() ||
      !call["function"].contains("name") || !call["function"]["name"].is_string())
    wrong(where, "must be an object with a function that has a name");
  Json out = call;
  if (!out.contains("type")) out["type"] = "function";
  Json& function = out["function"];  // from here on nothing is added beside it
  if (!function.contains("arguments")) function["arguments"] = Json::object();
  // Templates write arguments as JSON themselves.
  if (Json& arguments = function["arguments"]; arguments.is_string()) {
    try {
      Json parsed = parse_ordered_json(arguments.get_ref<const std::string&>(), "arguments");
      if (parsed.is_object()) arguments = std::move(parsed);
    } catch (const Error&) {
      // as the model wrote it
    }
  }
  return out;
}

Json message_of(const std::string& template_source, const Json& m, const std::string& where) {
  if (!m.is_object()) wrong(where, "must be an object");
  if (!m.contains("role") || !m["role"].is_string()) wrong(where + ".role", "must be a string");
  std::string role = m["role"].get<std::string>();
  static const std::vector<std::string> kRoles = {"system", "developer", "user", "assistant", "tool"};
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end())
    wrong(where + ".role", "is '" + role + "': must be system, developer, user, assistant or tool");
  if (role == "developer" && template_source.find("developer") == std::string::npos) role = "system";
  if (m.contains("images") && !m["images"].empty()) wrong(where + ".images", "cannot be read: only text is");
  Json out = {{"role", role},
              {"content", m.contains("content") ? text_of(m["content"], where + ".content") : std::string()}};
  for (const char* key : {"name", "tool_call_id", "tool_name"}) {
    if (m.contains(key) && m[key].is_string()) out[key] = m[key];
  }
  if (!m.contains("tool_calls") || m["tool_calls"].is_null()) return out;
  if (!m["tool_calls"].is_array()) wrong(where + ".tool_calls", "must be a list");
  out["tool_calls"] = Json::array();
  for (size_t i = 0; i < m["tool_calls"].size(); ++i)
    out["tool_calls"].push_back(call_of(m["tool_calls"][i], fmt::format("{}.tool_calls[{}]", where, i)));
  return out;
}

// Those that tool_choice leaves: all, or the one it names.
Json chosen_tools(const Asked& asked) {
  const Json& choice = asked.tool_choice;
  if (choice.is_null() || choice == "auto" || choice == "required") return asked.tools;
  Json name;
  if (choice.is_object()) {
    const Json& holder = choice.contains("function") ? choice["function"] : choice;
    if (holder.is_object() && holder.contains("name")) name = holder["name"];
  }
  if (!name.is_string()) wrong("tool_choice", "must be 'auto', 'none', 'required' or name a function");
  for (const Json& tool : asked.tools) {
    if (tool["function"]["name"] == name) return Json::array({tool});
  }
  wrong("tool_choice", "names a function that is not among the tools");
}

}  // namespace

Json messages_of(const std::string& template_source, const Json& messages) {
  if (!messages.is_array() || messages.empty()) wrong("messages", "must be a list of messages, one at least");
  if (messages.size() > kMostMessages) wrong("messages", fmt::format("may hold {} at most", kMostMessages));
  Json out = Json::array();
  for (size_t i = 0; i < messages.size(); ++i)
    out.push_back(message_of(template_source, messages[i], fmt::format("messages[{}]", i)));
  return out;
}

Json tools_of(const std::string& template_source, const Asked& asked) {
  if (asked.tools.is_null() || asked.tools == Json::array()) return nullptr;
  if (!asked.tools.is_array() || asked.tools.size() > kMostTools)
    wrong("tools", fmt::format("must be a list of {} at most", kMostTools));
  for (size_t i = 0; i < asked.tools.size(); ++i) {
    const Json& tool = asked.tools[i];
    const std::string where = fmt::format("tools[{}]", i);
    if (!tool.is_object() || !tool.contains("type") || tool["type"] != "function")
      wrong(where + ".type", "must be 'function'");
    if (!tool.contains("function") || !tool["function"].is_object() || !tool["function"].contains("name") ||
        !tool["function"]["name"].is_string())
      wrong(where + ".function", "must be an object with a name");
  }
  if (asked.tool_choice == "none") return nullptr;
  const Json chosen = chosen_tools(asked);
  if (template_source.find("tools") == std::string::npos)
    wrong("tools", "cannot be used: this model's chat template knows none");
  return chosen;
}

void force_call(const std::string& template_source, const Json& tools, Asked& asked) {
  const Json& choice = asked.tool_choice;
  if (tools.is_null() || choice.is_null() || choice == "auto") return;
  if (asked.structure.kind != Structure::Kind::none)
    wrong("tool_choice", "forces a call, and something else says what the answer must be");
  asked.structure = call_structure(tools, tool_marks_of(template_source), template_source);
}

std::vector<std::string> tool_names(const Json& tools) {
  std::vector<std::string> out;
  if (tools.is_array()) {
    for (const Json& tool : tools) out.push_back(tool["function"]["name"].get<std::string>());
  }
  return out;
}

std::string chat_text(const Service& service, const Asked& asked, const Json& tools) {
  ChatTemplate chat_template = service.chat_template();
  Json variables = service.options().template_variables;
  if (asked.template_variables.is_object()) variables.update(asked.template_variables);
  chat_template.set_variables(variables);
  return chat_template.render(messages_of(service.template_source(), asked.messages), tools,
                              asked.answer_next);
}

std::vector<int32_t> chat_prompt(const Service& service, const Asked& asked, const Json& tools) {
  std::vector<int32_t> out = service.tokenizer().encode(chat_text(service, asked, tools), false);
  if (out.empty()) wrong("messages", "give no text by the model's chat template");
  return out;
}

}  // namespace lmc::serve
