// A parsed template: expressions and statements as functions over a scope.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "ir/budget.h"
#include "ir/error.h"
#include "models/chat/value.h"

namespace lmc::chat {

// What one rendering may use up, so that no template hangs, overflows the stack or fills the memory. As long
// as it lives, charge() in this thread takes from it.
class Run {
 public:
  Run();
  // Takes lists and dicts apart one by one: they may be nested deeper than the stack goes, or hold each
  // other.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void step(size_t cost = 1);
  Value seen(Value v);  // keeps lists and dicts until the end

  // For as long as it lives, one level of nested evaluation.
  class Nested {
   public:
    explicit Nested(Run& run);
    ~Nested() { --run_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Run& run_;
  };

 private:
  Budget steps_;
  Run* outer_;
  int depth_ = 0;
  std::unordered_set<const void*> known_;
  std::vector<Value> kept_;
};

// Names are looked for from the inside out; assignments stay in the innermost scope, as in Jinja.
struct Scope {
  Run& run;
  Scope* outer = nullptr;
  std::map<std::string, Value> names = {};

  const Value* find(const std::string& name) const;
  void set(const std::string& name, Value value) { names.insert_or_assign(name, std::move(value)); }
};

enum class Flow : uint8_t { next, leave_loop, next_round };
using Expression = std::function<Value(Scope&)>;
using Statement = std::function<Flow(Scope&, std::string& out)>;

// Counts the evaluation, and gives errors of rendering the line where they happened, the innermost first.
template <class F>
auto with_line(const std::string& file, int line, F f) {
  return [line, f = std::move(f), file](Scope& s, auto&... out) {
    const Run::Nested nested(s.run);
    try {
      s.run.step();
      return f(s, out...);
    } catch (const Error& e) {
      if (e.location.line > 0) throw;
      throw Error(Location{file, line}, e.what());
    }
  };
}

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
