// What an answer must be: JSON, JSON of a schema, a text of a grammar, a call of a tool.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grammar/grammar_constraint.h"
#include "tools/generate/engine.h"
#include "tools/serve/fields.h"
#include "tools/serve/tool_calls.h"

namespace lmc::serve {

Fields structure_fields();  // grammar, regex and json_schema, as llama.cpp and others name them
// OpenAI's response_format, and its text.format, which has the schema's fields beside the type.
Field response_format_field();
void read_response_format(const Json& format, Asked& asked);
Structure schema_structure(const Json& schema);

// One call of one of these tools, as {"type": "function", "function": {…}}, between the marks.
Structure call_structure(const Json& tools, const ToolMarks& marks, std::string_view template_source);

// Compiles what requests ask for, and keeps some of that. One thread.
class Structures {
 public:
  explicit Structures(const Engine& engine) : engine_(engine) {}
  // Makes the constraint of one text; empty for no structure. RequestError for what is no grammar.
  std::function<std::unique_ptr<Constraint>()> constraint_for(const Asked& asked);

 private:
  using Compiled = std::shared_ptr<grammar::CompiledGrammar>;
  const Engine& engine_;
  std::shared_ptr<const grammar::Vocabulary> ending_, endless_;  // with and without end-of-sequence ids
  std::list<std::pair<std::string, Compiled>> kept_;             // the last used first
};

}  // namespace lmc::serve
