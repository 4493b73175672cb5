#include "passes/pattern/condition.h"

#include <algorithm>

#include "ir/names.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

using syntax::Expr;

bool is_comparison(const Expr& e) {
  return e.kind == Expr::Kind::binary &&
         (e.text == "==" || e.text == "!=" || e.text == "<" || e.text == ">" || e.text == "<=" ||
          e.text == ">=" || e.text == "in");
}

bool is_truth(const Expr& e) {
  if (e.kind == Expr::Kind::unary) return e.text == "!";
  if (e.kind == Expr::Kind::binary) return is_comparison(e) || e.text == "&&" || e.text == "||";
  return e.kind == Expr::Kind::call && (e.text == "has" || e.text == "one_use" || e.text == "output" ||
                                        e.text == "constant" || e.text == "reshaped");
}

// What is not written out: "dtype(%wk) is q8_0".
std::string shown(const Expr& e, const BoundNames& b) {
  const bool literal = e.kind == Expr::Kind::integer || e.kind == Expr::Kind::real ||
                       e.kind == Expr::Kind::name || e.kind == Expr::Kind::text ||
                       e.kind == Expr::Kind::list || e.kind == Expr::Kind::value;
  return literal ? "" : syntax::expr_text(e) + " is " + evaluate(e, b).str();
}

std::string failure(const Expr& e, const BoundNames& b) {
  if (e.kind == Expr::Kind::binary && e.text == "&&") return failure(e.args[holds(e.args[0], b) ? 1 : 0], b);
  if (!is_comparison(e)) return "";
  const std::string left = shown(e.args[0], b);
  const std::string right = shown(e.args[1], b);
  return left + (left.empty() || right.empty() ? "" : ", ") + right;
}

// dtype(%w) == f23 could never hold.
void check_word(const Expr& call, const Expr& word) {
  if (call.kind != Expr::Kind::call || (word.kind != Expr::Kind::name && word.kind != Expr::Kind::text))
    return;
  if (call.text == "dtype" && !dtype_from_name(word.text))
    throw Error(word.loc, "there is no dtype '" + word.text + "'");
  if (call.text == "op" && !find_op(word.text) && word.text != "input" && word.text != "weight") {
    std::vector<std::string> known = {"input", "weight"};
    for (const OpDef* def : all_ops()) known.push_back(def->name);
    throw Error(word.loc, "unknown op '" + word.text + "'" + did_you_mean(word.text, known));
  }
}

void check_words(const Expr& e) {
  if (is_comparison(e)) {
    check_word(e.args[0], e.args[1]);
    check_word(e.args[1], e.args[0]);
    if (e.text == "in") {
      for (const Expr& item : e.args[1].args) check_word(e.args[0], item);
    }
  }
  for (const Expr& a : e.args) check_words(a);
}

void check_truth(const Expr& e) {
  if (!is_truth(e)) {
    throw Error(e.loc, "expected a condition such as dtype(%w) == f32, found " + syntax::expr_text(e));
  }
  if (e.kind == Expr::Kind::unary || e.text == "&&" || e.text == "||") {
    for (const Expr& a : e.args) check_truth(a);
  }
}

}  // namespace

Condition::Condition(const std::string& text, const Location& at) : expr_(syntax::parse_condition(text, at)) {
  check_truth(expr_);
  check_words(expr_);
}

void Condition::check(const KnownNames& known) const { check_expression(expr_, known); }

bool Condition::holds(const BoundNames& b, std::string* why) const {
  const bool good = lmc::holds(expr_, b);
  if (!good && why) *why = failure(expr_, b);
  return good;
}

}  // namespace lmc
