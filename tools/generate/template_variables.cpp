#include "tools/generate/template_variables.h"

#include <nlohmann/json.hpp>

#include "models/text/json_text.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw UsageError("the template variable '" + text.substr(0, 60) + "' " + why);
}

void add_variables(Json& out, const std::string& text) {
  if (text.starts_with('{')) {
    Json all;
    try {
      all = parse_ordered_json(text, "--template-var");
    } catch (const Error& e) {
      throw UsageError(e.what());
    }
    for (const auto& [name, value] : all.items()) out[name] = value;
    return;
  }
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    refuse(text, "must be NAME=VALUE, such as enable_thinking=false, or a JSON object");
  Json value = text.substr(equals + 1);
  try {
    value = parse_ordered_json(text.substr(equals + 1), "");
  } catch (const Error&) {  // a text, then
  }
  out[text.substr(0, equals)] = std::move(value);
}

Json variables(const std::vector<std::string>& given) {
  Json out = Json::object();
  for (const std::string& text : given) add_variables(out, text);
  try {
    ChatTemplate::check_variables(out);
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
  return out;
}

}  // namespace

Flag TemplateVariables::add_to(Flags& flags) {
  return flags
      .option("--template-var,--chat-template-kwargs", given_,
              "NAME=VALUE for the chat template (enable_thinking=false), or a JSON object of several; "
              "repeatable")
      .one_value_each();
}

void TemplateVariables::set(const std::string& text) {
  std::vector<std::string> all = given_;
  all.push_back(text);
  static_cast<void>(variables(all));
  given_ = std::move(all);
}

void TemplateVariables::check() const { static_cast<void>(variables(given_)); }

Json TemplateVariables::all() const { return variables(given_); }

void TemplateVariables::apply(ChatTemplate& chat_template) const { chat_template.set_variables(all()); }

}  // namespace lmc
