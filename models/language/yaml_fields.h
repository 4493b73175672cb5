// What a value of a model file must be, with an Error at its line if it is something else.
#pragma once

#include <string>
#include <vector>

#include "ir/syntax.h"
#include "models/language/yaml_tree.h"

namespace lmc {

const std::string& yaml_text(const YamlNode& n, const std::string& what);
const YamlNode& yaml_map(const YamlNode& n, const std::string& what);
std::vector<std::string> yaml_texts(const YamlNode& n, const std::string& what);  // a list, or one text
syntax::Expr yaml_expr(const YamlNode& n);                                        // a list is a list of those

}  // namespace lmc
