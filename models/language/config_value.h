// Values of a model's configuration and the expressions over them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/attr.h"
#include "ir/budget.h"
#include "ir/syntax.h"
#include "ir/variant.h"

namespace lmc {

// null, whole number, real, text, or a list of those. Truth values are 0 and 1.
struct ConfigValue {
  Variant<std::monostate, int64_t, double, std::string, std::vector<ConfigValue>> v;

  bool is_null() const { return v.index() == 0; }
  std::string str() const;  // of a long list its beginning
  friend bool operator==(const ConfigValue&, const ConfigValue&) = default;
};

using ConfigMap = std::map<std::string, ConfigValue>;

// Evaluates an expression; `$name` is looked up in `config`. Arithmetic is whole as long as both sides are
// and division comes out even. Functions: if(c, a, b) · at(list, i) · default(a, b) (b if a is null) ·
// is_null(a) · numbers(list, n, key) (the list, if it holds n numbers; else an Error
// that names the key) · sqrt · log · pow · int · min · max. Throws Error at the expression's place.
// A step is taken from `steps` for every part of the expression and every item of a list that is made or
// compared; without it, the expression has a million to itself.
ConfigValue evaluate_expr(const syntax::Expr& e, const ConfigMap& config, Budget& steps);
ConfigValue evaluate_expr(const syntax::Expr& e, const ConfigMap& config);
Budget expression_steps(uint64_t most);  // for expressions that share one

bool truth(const ConfigValue& v, const Location& at);
int64_t whole(const ConfigValue& v, const Location& at, const std::string& what);  // Error if it is not
double real(const ConfigValue& v, const Location& at);  // a whole number is one too
// A list of whole numbers alone becomes integers, another one reals.
Attr to_attr(const ConfigValue& v, const Location& at);

}  // namespace lmc
