// A parsed template: expressions and statements as functions over a scope.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/error.h"
#include "models/chat/value.h"

namespace lmc::chat {

// Names are looked for from the inside out; assignments stay in the innermost scope, as in Jinja.
struct Scope {
  Scope* outer = nullptr;
  Dict names = {};
  int depth = 0;                  // of macro calls
  int64_t* steps_left = nullptr;  // loop rounds and calls the whole rendering may still make

  const Value* find(const std::string& name) const;
  void set(const std::string& name, Value value);
};

enum class Flow : uint8_t { next, leave_loop, next_round };
using Expression = std::function<Value(Scope&)>;
using Statement = std::function<Flow(Scope&, std::string& out)>;

// Throws Error naming `file` and line, while parsing and (from the functions) while rendering.
Statement parse_template(const std::string& source, const std::string& file);

// builtins.cpp: nullptr where there is none of that name.
using Filter = Value (*)(const Value& on, const Arguments&);
using Test = bool (*)(const Value& on, const Arguments&);
Filter find_filter(const std::string& name);
Test find_test(const std::string& name);
// A method of a string, list or dict: text.strip(), dict.items(). Throws Error if there is none.
Value call_method(const Value& on, const std::string& name, const Arguments& arguments);
bool has_method(const Value& on, const std::string& name);

}  // namespace lmc::chat
