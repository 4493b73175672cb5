#include "passes/pattern/fit.h"

namespace lmc {

bool attr_equal(const Attr& a, const Attr& b) {
  if (a.index() == b.index()) return a == b;
  const auto* whole = std::get_if<std::vector<int64_t>>(&a);
  if (!whole) whole = std::get_if<std::vector<int64_t>>(&b);
  const auto* reals = std::get_if<std::vector<double>>(&a);
  if (!reals) reals = std::get_if<std::vector<double>>(&b);
  if (whole && reals) return std::equal(whole->begin(), whole->end(), reals->begin(), reals->end());
  const auto* i = std::get_if<int64_t>(&a);
  const auto* j = std::get_if<int64_t>(&b);
  const auto* d = std::get_if<double>(i ? &b : &a);
  return d && (i || j) && *d == static_cast<double>(i ? *i : *j);
}

std::string constants_differ(const PatternStatement& s, const Op& op) {
  for (const auto& a : s.attrs) {
    const auto it = op.attrs.find(a.name);
    if (it != op.attrs.end() && (!a.capture.empty() || attr_equal(it->second, a.constant))) continue;
    return a.name + " is " + (it == op.attrs.end() ? "absent" : attr_text(it->second)) +
           (a.capture.empty() ? ", not " + attr_text(a.constant) : "");
  }
  return "";
}

std::string counts_differ(const PatternStatement& s, const Op& op, bool open) {
  const size_t given = op.operands.size();
  if (given < s.required_operands || (!open && given > s.text.operands.size())) {
    return "it has " + std::to_string(given) + " operands, not " +
           (s.required_operands < s.text.operands.size() ? std::to_string(s.required_operands) + " to "
                                                         : "") +
           std::to_string(s.text.operands.size());
  }
  if (op.results.size() != s.text.results.size()) {
    return "it has " + std::to_string(op.results.size()) + " results, not " +
           std::to_string(s.text.results.size());
  }
  return "";
}

}  // namespace lmc
