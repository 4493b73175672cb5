#include "grammar/number_range.h"

#include <algorithm>
#include <charconv>

namespace lmc::grammar {
namespace {

constexpr size_t kMostDigits = 400;
constexpr size_t kUsualDigits = 16;

int compare_integers(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

std::string one_more(std::string n) {
  for (size_t i = n.size(); i-- > 0;) {
    if (n[i] != '9') {
      ++n[i];
      return n;
    }
    n[i] = '0';
  }
  return "1" + n;
}

// Of a number above 0.
std::string one_less(std::string n) {
  for (size_t i = n.size(); i-- > 0;) {
    if (n[i] != '0') {
      --n[i];
      break;
    }
    n[i] = '9';
  }
  return n.size() > 1 && n[0] == '0' ? n.substr(1) : n;
}

// Numbers from 0 on, from both sides; no `most`: as large as the digits allow.
struct Magnitudes {
  Decimal least;
  bool least_open = false;
  std::optional<Decimal> most;
  bool most_open = false;
};

class Texts {
 public:
  explicit Texts(Grammar& g) : g_(g) {}

  // Integers a … b, as many digits as they have.
  ExprId integers(const std::string& a, const std::string& b) {
    if (compare_integers(a, b) > 0) return g_.never();
    std::vector<ExprId> ways;
    for (size_t n = a.size(); n <= b.size(); ++n) {
      const std::string from = n == a.size() ? a : "1" + std::string(n - 1, '0');
      const std::string to = n == b.size() ? b : std::string(n, '9');
      ways.push_back(alike_long(from, to));
    }
    return g_.choice(std::move(ways));
  }

  ExprId numbers(const Magnitudes& m) {
    if (!m.most) {
      const size_t n = std::max(kUsualDigits, m.least.integer.size() + 1);
      return g_.choice(
          {from_integer(m, true, false),
           g_.sequence({integers(one_more(m.least.integer), std::string(n, '9')), any_fraction()})});
    }
    if (compare_integers(m.least.integer, m.most->integer) > 0) return g_.never();
    if (m.least.integer == m.most->integer) return from_integer(m, true, true);
    const ExprId first = from_integer(m, true, false), last = from_integer(m, false, true);
    const std::string from = one_more(m.least.integer), to = one_less(m.most->integer);
    return g_.choice({first, last, g_.sequence({integers(from, to), any_fraction()})});
  }

 private:
  ExprId digit(char first, char last) {
    return g_.bytes(ByteSet::range(static_cast<uint8_t>(first), static_cast<uint8_t>(last)));
  }
  ExprId any_digits(size_t n) {
    return n == 0 ? g_.empty() : g_.repeat(digit('0', '9'), static_cast<int32_t>(n), static_cast<int32_t>(n));
  }

  ExprId alike_long(const std::string& a, const std::string& b) {
    size_t same = 0;
    while (same < a.size() && a[same] == b[same]) ++same;
    const ExprId head = g_.text(a.substr(0, same));
    if (same == a.size()) return head;
    std::vector<ExprId> ways = {g_.sequence({g_.text(a.substr(same, 1)), side(a.substr(same + 1), '9')}),
                                g_.sequence({g_.text(b.substr(same, 1)), side(b.substr(same + 1), '0')})};
    if (a[same] + 1 < b[same]) {
      ways.push_back(g_.sequence({digit(static_cast<char>(a[same] + 1), static_cast<char>(b[same] - 1)),
                                  any_digits(a.size() - same - 1)}));
    }
    return g_.sequence({head, g_.choice(std::move(ways))});
  }

  // Digits as many as `bound`, from it to all `towards` ('9': at least it, '0': at most).
  ExprId side(const std::string& bound, char towards) {
    std::vector<ExprId> ways = {g_.text(bound)};
    for (size_t i = 0; i < bound.size(); ++i) {
      if (bound[i] == towards) continue;
      const char first = towards == '9' ? static_cast<char>(bound[i] + 1) : '0';
      const char last = towards == '9' ? '9' : static_cast<char>(bound[i] - 1);
      ways.push_back(
          g_.sequence({g_.text(bound.substr(0, i)), digit(first, last), any_digits(bound.size() - i - 1)}));
    }
    return g_.choice(std::move(ways));
  }

  ExprId any_fraction() {
    return g_.optional(g_.sequence({g_.text("."), g_.repeat(digit('0', '9'), 1, kUsualDigits)}));
  }

  // The integer of one bound or of both, and fractions on the right side of these.
  ExprId from_integer(const Magnitudes& m, bool low, bool high) {
    const std::string& integer = low ? m.least.integer : m.most->integer;
    return g_.sequence(
        {g_.text(integer), g_.automaton(fractions(low ? m.least.fraction : "", m.least_open, low,
                                                  high ? m.most->fraction : "", m.most_open, high))});
  }

  // "" or "." and digits, of a value within: compared digit by digit for as long as it is equal to a bound.
  static Automaton fractions(const std::string& least, bool least_open, bool low, const std::string& most,
                             bool most_open, bool high) {
    const size_t longest = std::max({kUsualDigits, least.size() + 1, most.size() + 1});
    Automaton out;
    const auto number = [&](size_t at, bool at_least, bool at_most) {
      return static_cast<uint32_t>(2 + at * 4 + (at_least ? 2 : 0) + (at_most ? 1 : 0));
    };
    out.states.resize(2 + (longest + 1) * 4);
    const auto is_end = [&](size_t at, bool at_least, bool at_most) {
      const bool low_ok = !at_least || (at >= least.size() && !least_open);
      const bool high_ok = !at_most || at < most.size() || !most_open;
      return low_ok && high_ok;
    };
    const auto digit_of = [](const std::string& s, size_t at) { return at < s.size() ? s[at] : '0'; };
    const auto add_digits = [&](uint32_t state, size_t at, bool at_least, bool at_most) {
      for (char d = '0'; d <= '9' && at < longest; ++d) {
        if ((at_least && d < digit_of(least, at)) || (at_most && d > digit_of(most, at))) continue;
        const uint32_t to =
            number(at + 1, at_least && d == digit_of(least, at), at_most && d == digit_of(most, at));
        out.states[state].edges.push_back({ByteSet::of(static_cast<uint8_t>(d)), to});
      }
    };
    out.states[0].final = is_end(0, low, high);
    out.states[0].edges.push_back({ByteSet::of('.'), 1});
    add_digits(1, 0, low, high);
    for (size_t at = 1; at <= longest; ++at) {
      for (const bool at_least : {false, true}) {
        for (const bool at_most : {false, true}) {
          const uint32_t s = number(at, at_least, at_most);
          out.states[s].final = is_end(at, at_least, at_most);
          add_digits(s, at, at_least, at_most);
        }
      }
    }
    return out;
  }

  Grammar& g_;
};

// The part of a range from 0 on; of the negative one, without its sign, if `negative`. Nothing if there is
// none.
std::optional<Magnitudes> side_of(const NumberRange& range, bool negative) {
  const std::optional<Bound>& near = negative ? range.most : range.least;  // to 0
  const std::optional<Bound>& far = negative ? range.least : range.most;
  Magnitudes out;
  out.least_open = negative;  // 0 is written without a sign
  if (near && near->at.negative == negative) {
    out.least = near->at;
    out.least.negative = false;
    out.least_open = near->open;
  }
  if (far && far->at.negative != negative) return std::nullopt;
  if (far && far->open && far->at == Decimal{}) return std::nullopt;
  if (far) {
    out.most = far->at;
    out.most->negative = false;
    out.most_open = far->open;
  }
  return out;
}

}  // namespace

std::optional<Decimal> Decimal::of(std::string_view text) {
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const size_t e = std::min(text.find_first_of("eE"), text.size());
  int64_t exponent = 0;
  if (e < text.size()) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (r.ec != std::errc() || std::abs(exponent) > static_cast<int64_t>(kMostDigits)) return std::nullopt;
  }
  text = text.substr(0, e);
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  if (point < text.size()) digits += text.substr(point + 1);
  int64_t before = static_cast<int64_t>(point) + exponent;
  if (before < 1) {
    digits.insert(0, static_cast<size_t>(1 - before), '0');
    before = 1;
  }
  if (static_cast<size_t>(before) > digits.size())
    digits.append(static_cast<size_t>(before) - digits.size(), '0');
  out.integer = digits.substr(0, static_cast<size_t>(before));
  out.fraction = digits.substr(static_cast<size_t>(before));
  out.integer.erase(0, std::min(out.integer.find_first_not_of('0'), out.integer.size() - 1));
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  if (out.integer.size() + out.fraction.size() > kMostDigits) return std::nullopt;
  if (out.integer == "0" && out.fraction.empty()) out.negative = false;
  return out;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int out = compare_integers(a.integer, b.integer);
  if (out == 0) out = a.fraction.compare(b.fraction);
  return a.negative ? -out : out;
}

void NumberRange::raise(const Bound& b) {
  const int c = least ? compare(b.at, least->at) : 1;
  if (c > 0 || (c == 0 && b.open)) least = b;
}

void NumberRange::lower(const Bound& b) {
  const int c = most ? compare(b.at, most->at) : -1;
  if (c < 0 || (c == 0 && b.open)) most = b;
}

bool NumberRange::contains(const Decimal& d) const {
  const int low = least ? compare(d, least->at) : 1, high = most ? compare(d, most->at) : -1;
  return (low > 0 || (low == 0 && !least->open)) && (high < 0 || (high == 0 && !most->open));
}

bool NumberRange::empty() const {
  if (!least || !most) return false;
  const int c = compare(least->at, most->at);
  return c > 0 || (c == 0 && (least->open || most->open));
}

ExprId numbers_within(Grammar& g, const NumberRange& range) {
  if (range.empty()) return g.never();
  std::vector<ExprId> ways;
  Texts texts(g);
  if (const auto m = side_of(range, false)) ways.push_back(texts.numbers(*m));
  if (const auto m = side_of(range, true)) ways.push_back(g.sequence({g.text("-"), texts.numbers(*m)}));
  return g.choice(std::move(ways));
}

ExprId integers_within(Grammar& g, const NumberRange& range) {
  if (range.empty()) return g.never();
  std::vector<ExprId> ways;
  Texts texts(g);
  for (const bool negative : {false, true}) {
    const auto m = side_of(range, negative);
    if (!m) continue;
    std::string from = m->least.integer;
    if (!m->least.is_integer() || m->least_open) from = one_more(from);
    std::string to = std::string(std::max(kUsualDigits, from.size()), '9');
    if (m->most) {
      to = m->most->integer;
      if (m->most->is_integer() && m->most_open) {
        if (to == "0") continue;
        to = one_less(to);
      }
    }
    const ExprId is = texts.integers(from, to);
    ways.push_back(negative ? g.sequence({g.text("-"), is}) : is);
  }
  return g.choice(std::move(ways));
}

}  // namespace lmc::grammar
