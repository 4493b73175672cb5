#include "grammar/schema_strings.h"

#include <algorithm>

#include "grammar/regex.h"
#include "ir/error.h"

namespace lmc::grammar {

SharedAutomaton SchemaStrings::pattern(const Json& of, const std::string& text, bool whole) {
  SharedAutomaton& known = patterns_[(whole ? "=" : "~") + text];
  if (known) return known;
  std::optional<Automaton> a;
  try {
    a = deterministic(automaton_of_regex(text, whole ? Match::whole : Match::anywhere, "pattern"),
                      kMostSchemaStates);
  } catch (const Error& e) {
    doc_.refuse(of, e.what());
  }
  if (!a) doc_.refuse(of, "the pattern takes more than " + std::to_string(kMostSchemaStates) + " states");
  return known = std::make_shared<const Automaton>(a->states.size() < 100 ? minimal(*a) : std::move(*a));
}

SharedAutomaton SchemaStrings::without(const Automaton& deterministic) {
  return std::make_shared<const Automaton>(
      intersection(complement(deterministic), *any_text(), deterministic.states.size() * 16 + 64).value());
}

SharedAutomaton SchemaStrings::any_text() { return pattern(doc_.root(), "[^]*", true); }

std::optional<Automaton> SchemaStrings::content(const Shape& s) {
  if (s.contents.empty()) return std::nullopt;
  Automaton out = *s.contents[0];
  const auto meet = [&](const Automaton& other) {
    auto both = intersection(out, other, kMostSchemaStates);
    if (!both) too_large(s, "the patterns, formats and lengths of a string");
    out = both->states.size() < 500 ? minimal(*both) : std::move(*both);
  };
  for (size_t i = 1; i < s.contents.size(); ++i) meet(*s.contents[i]);
  if (s.min_length > 0 || s.max_length != kUnbounded) {
    constexpr int32_t kMostLength = 4000;
    if (std::max(s.min_length, s.max_length) > kMostLength)
      too_large(s, "a length of more than " + std::to_string(kMostLength) + " beside a pattern or format");
    const std::string most = s.max_length == kUnbounded ? "" : std::to_string(s.max_length);
    if (s.max_length != kUnbounded && s.max_length < s.min_length) return Automaton{{{}}};
    meet(*pattern(*s.parts[0], "[^]{" + std::to_string(s.min_length) + "," + most + "}", true));
  }
  return out;
}

void SchemaStrings::too_large(const Shape& shape, const std::string& what) const {
  doc_.refuse(shape.parts.empty() ? doc_.root() : *shape.parts[0], what + ": takes too many states");
}

}  // namespace lmc::grammar
