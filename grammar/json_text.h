// How JSON is written: rules for its values, made when first asked for.
//
// Between tokens of JSON there may be nothing, a blank, or one or two line ends and up to 20 blanks or tabs:
// enough for any usual layout, and no room to write blanks for ever. Numbers have 16 digits before and behind
// the point and two of an exponent at most, so that every reader's double holds them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "grammar/grammar.h"

namespace lmc::grammar {

class JsonText {
 public:
  // The grammar must outlive it.
  explicit JsonText(Grammar& grammar) : g_(grammar) {}

  ExprId blank() { return rule("blank", &JsonText::make_blank); }
  ExprId value() { return rule("value", &JsonText::make_value); }
  ExprId object() { return rule("object", &JsonText::make_object); }
  ExprId array() { return rule("array", &JsonText::make_array); }
  ExprId string() { return rule("string", &JsonText::make_string); }
  ExprId number() { return rule("number", &JsonText::make_number); }
  ExprId integer() { return rule("integer", &JsonText::make_integer); }
  ExprId boolean() { return g_.choice({g_.text("true"), g_.text("false")}); }
  ExprId null() { return g_.text("null"); }
  // So many characters.
  ExprId string(int32_t least, int32_t most);
  // Whose characters, in UTF-8, are a text of a deterministic automaton. Each is written as itself, where
  // JSON lets it, or else by an escape.
  ExprId string_of(const Automaton& content);
  // Just this one.
  ExprId quoted(std::string_view content);

  // ", " between and "[ ]" around, with room for blanks.
  ExprId comma() { return g_.sequence({g_.text(","), blank()}); }
  ExprId colon() { return g_.sequence({g_.text(":"), blank()}); }
  ExprId within(char open, ExprId inner, char close);

 private:
  ExprId rule(const char* name, ExprId (JsonText::*make)());
  ExprId make_blank();
  ExprId make_value();
  ExprId make_object();
  ExprId make_array();
  ExprId make_string();
  ExprId make_number();
  ExprId make_integer();
  ExprId character();

  Grammar& g_;
  std::map<std::string, RuleId> rules_;
};

// A deterministic automaton of texts as one of what stands between the quotes.
Automaton escaped(const Automaton& content);

}  // namespace lmc::grammar
