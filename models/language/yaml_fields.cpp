#include "models/language/yaml_fields.h"

namespace lmc {

using Kind = YamlNode::Kind;

const std::string& yaml_text(const YamlNode& n, const std::string& what) {
  if (n.kind != Kind::scalar) throw Error(n.loc, what + " must be text");
  return n.text;
}

const YamlNode& yaml_map(const YamlNode& n, const std::string& what) {
  if (n.kind != Kind::map) throw Error(n.loc, what + " must be a table of names and values");
  return n;
}

std::vector<std::string> yaml_texts(const YamlNode& n, const std::string& what) {
  std::vector<std::string> out;
  if (n.kind == Kind::scalar) return {n.text};
  if (n.kind != Kind::list) throw Error(n.loc, what + " must be a list");
  for (const YamlNode& i : n.items) out.push_back(i.kind == Kind::null ? "" : yaml_text(i, what));
  return out;
}

syntax::Expr yaml_expr(const YamlNode& n) {
  if (n.kind == Kind::null) return syntax::parse_expr("null", n.loc.file, n.loc.line);
  if (n.kind == Kind::list) {
    syntax::Expr e;
    e.kind = syntax::Expr::Kind::list;
    e.loc = n.loc;
    for (const YamlNode& i : n.items) e.args.push_back(yaml_expr(i));
    return syntax::measured(std::move(e));
  }
  return syntax::parse_expr(yaml_text(n, "an expression"), n.loc.file, n.text_line);
}

}  // namespace lmc
