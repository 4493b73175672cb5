#include "tools/serve/structure.h"

#include <algorithm>

#include "grammar/gbnf.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"
#include "tools/generate/text_grammar.h"

namespace lmc::serve {
namespace {

using Kind = Structure::Kind;

// Each may take grammar::CompiledGrammar::kMostBytes.
constexpr size_t kMostKept = 4;

grammar::Grammar grammar_of(const Structure& s) {
  switch (s.kind) {
    case Kind::json_object:
      return grammar::grammar_of_json_object();
    case Kind::json_schema:
      return grammar::grammar_of_json_schema(s.text, "the schema");
    case Kind::gbnf:
      return grammar::grammar_of_gbnf(s.text, "the grammar");
    default:
      return grammar::grammar_of_regex(s.text, "the regular expression");
  }
}

// References within a schema that now stands elsewhere in a document.
void move_references(Json& schema, const std::string& to) {
  if (schema.is_array()) {
    for (Json& item : schema) move_references(item, to);
  } else if (schema.is_object()) {
    for (auto& [key, value] : schema.items()) {
      if (key == "$ref" && value.is_string() && value.get_ref<const std::string&>().starts_with("#")) {
        value = "#" + to + value.get<std::string>().substr(1);
      } else {
        move_references(value, to);
      }
    }
  }
}

void set_text(Structure& out, Kind kind, const Json& value) {
  out = {kind, text_in(value)};
  if (out.text.empty()) out = {};
}

}  // namespace

Structure schema_structure(const Json& schema) {
  if (!schema.is_object() && !schema.is_boolean())
    throw RequestError(400, "must be a JSON Schema: an object");
  return {Kind::json_schema, dump(schema)};
}

Fields structure_fields() {
  return {field("grammar", "string", "a grammar in GBNF: the answer is a text of it",
                [](const Json& v, Asked& a) { set_text(a.structure, Kind::gbnf, v); }),
          field("regex", "string", "a regular expression that the answer matches as a whole",
                [](const Json& v, Asked& a) { set_text(a.structure, Kind::regex, v); }),
          field("json_schema", "object", "a JSON Schema: the answer is JSON that it describes",
                [](const Json& v, Asked& a) {
                  if (v != Json::object()) a.structure = schema_structure(v);
                })};
}

void read_response_format(const Json& format, Asked& asked) {
  if (!format.is_object() || !format.contains("type"))
    throw RequestError(400, "must be an object with a type");
  const Json& type = format["type"];
  if (type == "text") {
    asked.structure = {};
  } else if (type == "json_object") {
    asked.structure = {Kind::json_object, ""};
  } else if (type == "json_schema") {
    const Json& holder = format.contains("json_schema") ? format["json_schema"] : format;
    if (!holder.is_object() || !holder.contains("schema")) throw RequestError(400, "needs a schema");
    asked.structure = schema_structure(holder["schema"]);
  } else {
    throw RequestError(400, "has a type that is not text, json_object or json_schema");
  }
}

Field response_format_field() {
  return field("response_format", "object",
               "of type text, json_object or json_schema: what the answer must be", read_response_format);
}

Structure call_structure(const Json& tools, const ToolMarks& marks, std::string_view source) {
  const bool list = !marks.begin.empty() && marks.end.empty();
  const bool named_parameters =
      marks.begin.empty() && source.find("\"parameters\"") != std::string_view::npos;
  const char* const key = named_parameters ? "parameters" : "arguments";
  Json calls = Json::array();
  for (const Json& tool : tools) {
    const Json& function = tool["function"];
    Json parameters = function.value("parameters", Json());
    if (!parameters.is_object()) parameters = Json::object();
    if (!parameters.contains("type")) parameters["type"] = "object";
    move_references(parameters, std::string(list ? "/items" : "") + "/anyOf/" + std::to_string(calls.size()) +
                                    "/properties/" + key);
    Json call = {{"type", "object"},
                 {"properties", {{"name", {{"const", function["name"]}}}}},
                 {"required", Json::array({"name", key})},
                 {"additionalProperties", false}};
    call["properties"][key] = parameters;
    calls.push_back(call);
  }
  Json schema = {{"anyOf", calls}};
  if (list) schema = {{"type", "array"}, {"items", schema}, {"minItems", 1}, {"maxItems", 1}};
  return {Kind::json_schema, dump(schema), marks.begin, marks.end};
}

std::function<std::unique_ptr<Constraint>()> Structures::constraint_for(const Asked& asked) {
  const Structure& s = asked.structure;
  if (s.kind == Kind::none) return {};
  auto& vocabulary = asked.ignore_eos ? endless_ : ending_;
  const std::string key = std::string(1, static_cast<char>('0' + static_cast<int>(s.kind))) +
                          (asked.ignore_eos ? "!" : "") + s.before + '\0' + s.behind + '\0' + s.text;
  auto it = std::find_if(kept_.begin(), kept_.end(), [&](const auto& one) { return one.first == key; });
  if (it == kept_.end()) {
    const BundleInfo& info = engine_.bundle().info;
    if (!vocabulary) {
      vocabulary =
          vocabulary_for(engine_.tokenizer(), engine_.bundle().plan.vocab,
                         asked.ignore_eos ? std::span<const int32_t>() : std::span(info.eos_ids), nullptr);
    }
    grammar::Grammar grammar = grammar_of(s);
    if (!s.before.empty() || !s.behind.empty()) {
      const grammar::RuleId all = grammar.add_rule("call");
      grammar.define(all, grammar.sequence({grammar.text(s.before), grammar.rule(grammar.root()),
                                            grammar.text(s.behind)}));
      grammar.set_root(all);
    }
    kept_.emplace_front(key, std::make_shared<grammar::CompiledGrammar>(grammar, vocabulary));
    it = kept_.begin();
    if (kept_.size() > kMostKept) kept_.pop_back();
  }
  kept_.splice(kept_.begin(), kept_, it);
  return [compiled = it->second] { return std::make_unique<grammar::GrammarConstraint>(compiled); };
}

}  // namespace lmc::serve
