// Expressions as one writes them.
#include "ir/attr.h"
#include "ir/syntax.h"

namespace lmc::syntax {

std::string expr_text(const Expr& e) {
  const auto list = [&] {
    std::string out;
    for (const Expr& a : e.args) out += (out.empty() ? "" : ", ") + expr_text(a);
    return out;
  };
  const auto part = [](const Expr& a) {
    return a.kind == Expr::Kind::binary ? "(" + expr_text(a) + ")" : expr_text(a);
  };
  switch (e.kind) {
    case Expr::Kind::integer:
      return std::to_string(e.integer);
    case Expr::Kind::real:
      return attr_text(e.real);
    case Expr::Kind::name:
      return e.text;
    case Expr::Kind::text:
      return "\"" + e.text + "\"";
    case Expr::Kind::config:
      return "$" + e.text;
    case Expr::Kind::value:
      return "%" + e.text;
    case Expr::Kind::weight:
      return "@" + e.text;
    case Expr::Kind::list:
      return "[" + list() + "]";
    case Expr::Kind::call:
      return e.text + "(" + list() + ")";
    case Expr::Kind::binary:
      return part(e.args[0]) + " " + e.text + " " + part(e.args[1]);
    case Expr::Kind::unary:
      return e.text + part(e.args[0]);
  }
  return "";
}

}  // namespace lmc::syntax
