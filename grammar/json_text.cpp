#include "grammar/json_text.h"

#include <utility>

namespace lmc::grammar {
namespace {

const std::pair<char, char> kShortEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                               {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};

ByteSet hex_digit(int digit) {
  ByteSet out = ByteSet::of(static_cast<uint8_t>(digit < 10 ? '0' + digit : 'a' + digit - 10));
  if (digit >= 10) out |= ByteSet::of(static_cast<uint8_t>('A' + digit - 10));
  return out;
}

ByteSet hex_digits(int first, int last) {
  ByteSet out;
  for (int d = first; d <= last; ++d) out |= hex_digit(d);
  return out;
}

ByteSet digits(char first, char last) {
  return ByteSet::range(static_cast<uint8_t>(first), static_cast<uint8_t>(last));
}

}  // namespace

ExprId JsonText::rule(const char* name, ExprId (JsonText::*make)()) {
  const auto [it, added] = rules_.try_emplace(name, 0);
  if (added) {
    const RuleId id = it->second = g_.add_rule(name);
    g_.define(id, (this->*make)());
  }
  return g_.rule(it->second);
}

ExprId JsonText::make_blank() {
  const ExprId line_end = g_.text("\n");
  const ExprId blanks = g_.bytes(ByteSet::of(' ') |= ByteSet::of('\t'));
  return g_.choice(
      {g_.empty(), g_.text(" "), g_.sequence({g_.repeat(line_end, 1, 2), g_.repeat(blanks, 0, 20)})});
}

ExprId JsonText::make_value() {
  return g_.choice({object(), array(), string(), number(), boolean(), null()});
}

ExprId JsonText::within(char open, ExprId inner, char close) {
  const std::string text = {open, close};
  return g_.sequence({g_.text(text.substr(0, 1)), blank(), inner, blank(), g_.text(text.substr(1))});
}

ExprId JsonText::make_object() {
  const ExprId member = g_.sequence({string(), colon(), value()});
  const ExprId members =
      g_.sequence({member, g_.repeat(g_.sequence({blank(), comma(), member}), 0, kUnbounded)});
  return g_.choice({g_.sequence({g_.text("{"), blank(), g_.text("}")}), within('{', members, '}')});
}

ExprId JsonText::make_array() {
  const ExprId items =
      g_.sequence({value(), g_.repeat(g_.sequence({blank(), comma(), value()}), 0, kUnbounded)});
  return g_.choice({g_.sequence({g_.text("["), blank(), g_.text("]")}), within('[', items, ']')});
}

// A pair of surrogates is one character; a lone one is none.
ExprId JsonText::character() {
  const CodePoints plain = {{0x20, 0x21}, {0x23, 0x5b}, {0x5d, CodePoints::kLast}};
  const ExprId hex = g_.bytes(hex_digits(0, 15));
  const ExprId d = g_.bytes(hex_digit(13)), u = g_.text("\\u");
  ByteSet short_ones = ByteSet::of('/');
  for (const auto& [c, letter] : kShortEscapes) short_ones |= ByteSet::of(static_cast<uint8_t>(letter));
  const ExprId no_surrogate =
      g_.choice({g_.sequence({g_.bytes(hex_digits(0, 12) |= hex_digits(14, 15)), hex, hex, hex}),
                 g_.sequence({d, g_.bytes(hex_digits(0, 7)), hex, hex})});
  const ExprId pair =
      g_.sequence({d, g_.bytes(hex_digits(8, 11)), hex, hex, u, d, g_.bytes(hex_digits(12, 15)), hex, hex});
  return g_.choice({g_.character(plain), g_.sequence({g_.text("\\"), g_.bytes(short_ones)}),
                    g_.sequence({u, g_.choice({no_surrogate, pair})})});
}

ExprId JsonText::make_string() {
  return g_.sequence({g_.text("\""), g_.repeat(character(), 0, kUnbounded), g_.text("\"")});
}

ExprId JsonText::string(int32_t least, int32_t most) {
  if (least == 0 && most == kUnbounded) return string();
  return g_.sequence({g_.text("\""), g_.repeat(character(), least, most), g_.text("\"")});
}

ExprId JsonText::make_integer() {
  return g_.sequence(
      {g_.optional(g_.text("-")),
       g_.choice({g_.text("0"),
                  g_.sequence({g_.bytes(digits('1', '9')), g_.repeat(g_.bytes(digits('0', '9')), 0, 15)})})});
}

ExprId JsonText::make_number() {
  const ExprId digit = g_.bytes(digits('0', '9'));
  const ExprId fraction = g_.sequence({g_.text("."), g_.repeat(digit, 1, 16)});
  const ExprId exponent =
      g_.sequence({g_.bytes(ByteSet::of('e') |= ByteSet::of('E')),
                   g_.optional(g_.bytes(ByteSet::of('+') |= ByteSet::of('-'))), g_.repeat(digit, 1, 2)});
  return g_.sequence({integer(), g_.optional(fraction), g_.optional(exponent)});
}

ExprId JsonText::string_of(const Automaton& content) {
  return g_.sequence({g_.text("\""), g_.automaton(escaped(content)), g_.text("\"")});
}

ExprId JsonText::quoted(std::string_view content) {
  Automaton a;
  uint32_t at = a.add_state();
  for (const char c : content) {
    const uint32_t next = a.add_state();
    a.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>(c)), next});
    at = next;
  }
  a.states[at].final = true;
  return string_of(a);
}

Automaton escaped(const Automaton& content) {
  Automaton out = content;
  ByteSet special = ByteSet::range(0, 0x1f);
  special |= ByteSet::of('"');
  special |= ByteSet::of('\\');
  for (uint32_t s = 0; s < content.states.size(); ++s) {
    out.states[s].edges.clear();
    for (const auto& e : content.states[s].edges) {
      if (const ByteSet plain = e.bytes & ~special; !plain.empty())
        out.states[s].edges.push_back({plain, e.to});
      if ((e.bytes & special).empty()) continue;
      const uint32_t escape = out.add_state();
      out.states[s].edges.push_back({ByteSet::of('\\'), escape});
      ByteSet letters;
      for (const auto& [c, letter] : kShortEscapes) {
        if (e.bytes.contains(static_cast<uint8_t>(c))) letters |= ByteSet::of(static_cast<uint8_t>(letter));
      }
      if (!letters.empty()) out.states[escape].edges.push_back({letters, e.to});
      uint32_t at = escape;  // \u00
      ByteSet last[2];
      for (int c = 0; c < 0x20; ++c) {
        if (e.bytes.contains(static_cast<uint8_t>(c))) last[c / 16] |= hex_digit(c % 16);
      }
      if (last[0].empty() && last[1].empty()) continue;
      for (const char c : {'u', '0', '0'}) {
        const uint32_t next = out.add_state();
        out.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>(c)), next});
        at = next;
      }
      for (int high = 0; high < 2; ++high) {
        if (last[high].empty()) continue;
        const uint32_t next = out.add_state();
        out.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>('0' + high)), next});
        out.states[next].edges.push_back({last[high], e.to});
      }
    }
  }
  return out;
}

}  // namespace lmc::grammar
