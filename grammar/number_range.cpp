#include "grammar/number_range.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace lmc::grammar {
namespace {

constexpr size_t kMostDigits = 400;
constexpr size_t kUsualDigits = 15;

int compare_integers(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// A divisor as an integer: of ten to the `places` times a number.
struct Divisor {
  uint64_t by = 1;
  size_t places = 0;
};
constexpr uint64_t kMostDivisor = 1000000000;

Divisor divisor_of(const Decimal& d) {
  Divisor out{0, d.fraction.size()};
  for (const char c : d.integer + d.fraction)
    out.by = std::min(out.by * 10 + static_cast<uint64_t>(c - '0'), kMostDivisor);
  return out;
}

// What was read of a number, as far as it matters to what may follow.
struct Reading {
  enum Phase : uint8_t { kStart, kSign, kZero, kInteger, kPoint, kFraction };
  Phase phase = kStart;
  bool negative = false;
  bool zero = true;                  // so far
  bool whole = true;                 // no digit but 0 behind the point
  uint32_t left = 0;                 // digits that may come
  uint32_t integer_digits = 0;       // until the point
  uint32_t places = 0;               // behind the point, up to those that matter
  int to_least = 0, to_most = 0;     // how the size compares, as far as both go
  std::vector<uint64_t> rests = {};  // by divisor, of the places that it has
  auto operator<=>(const Reading&) const = default;
};

class Numbers {
 public:
  Numbers(const NumberRange& range, bool integers, bool fractions)
      : range_(range), integers_(integers), fractions_(fractions) {
    for (const auto* list : {&range.multiples_of, &range.no_multiples_of}) {
      for (const Decimal& d : *list) divisors_.push_back(divisor_of(d));
    }
    for (const Divisor& d : divisors_) places_ = std::max(places_, d.places + 1);
    for (const auto* bound : {&range.least, &range.most}) {
      if (!*bound) continue;
      const Decimal& at = (*bound)->at;
      digits_ = std::max(digits_, at.integer.size() + at.fraction.size() + 1);
      places_ = std::max(places_, at.fraction.size() + 1);
    }
  }

  std::optional<Automaton> texts() {
    if (std::any_of(divisors_.begin(), divisors_.end(),
                    [](const Divisor& d) { return d.by >= kMostDivisor; }))
      return std::nullopt;
    constexpr size_t kMostReadings = 60000;
    Reading start;
    start.left = static_cast<uint32_t>(digits_);
    start.rests.resize(divisors_.size());
    number_of(start);
    for (uint32_t s = 0; s < readings_.size(); ++s) {
      if (readings_.size() > kMostReadings) return std::nullopt;
      const Reading from = *readings_[s];
      out_.states[s].final = is_within(from);
      if (from.phase == Reading::kStart) add_sign(s, from);
      if (from.phase <= Reading::kSign) add_first_digit(s, from);
      if (from.phase == Reading::kInteger) add_digits(s, from);
      if (from.phase == Reading::kZero || from.phase == Reading::kInteger) add_point(s, from);
      if (from.phase >= Reading::kPoint) add_digits(s, from);
    }
    auto out = deterministic(out_, out_.states.size() + 1);
    return out && out->states.size() < 300 ? minimal(*out) : out;
  }

 private:
  uint32_t number_of(const Reading& r) {
    const auto [it, added] = numbers_.try_emplace(r, static_cast<uint32_t>(readings_.size()));
    if (added) {
      readings_.push_back(&it->first);
      out_.add_state();
    }
    return it->second;
  }
  void add(uint32_t state, char byte, const Reading& to) {
    if (is_beyond(to)) return;
    const uint32_t number = number_of(to);
    out_.states[state].edges.push_back({ByteSet::of(static_cast<uint8_t>(byte)), number});
  }

  void add_sign(uint32_t state, Reading to) {
    to.phase = Reading::kSign;
    to.negative = true;
    add(state, '-', to);
  }
  void add_first_digit(uint32_t state, const Reading& from) {
    for (char d = '0'; d <= '9'; ++d) {
      Reading to = behind_digit(from, d);
      to.phase = d == '0' ? Reading::kZero : Reading::kInteger;
      add(state, d, to);
    }
  }
  void add_digits(uint32_t state, const Reading& from) {
    for (char d = '0'; d <= '9' && from.left > 0; ++d) {
      Reading to = behind_digit(from, d);
      if (from.phase == Reading::kPoint) to.phase = Reading::kFraction;
      add(state, d, to);
    }
  }
  void add_point(uint32_t state, const Reading& from) {
    if (!fractions_ || from.left == 0) return;
    Reading to = from;
    to.phase = Reading::kPoint;
    if (range_.least) to.to_least = of_integers(from, from.to_least, range_.least->at);
    if (range_.most) to.to_most = of_integers(from, from.to_most, range_.most->at);
    to.integer_digits = 0;
    add(state, '.', to);
  }

  // Too many digits for the bound that is farther from 0?
  bool is_beyond(const Reading& r) const {
    const std::optional<Bound>& far = r.negative ? range_.least : range_.most;
    return far && (far->at.negative != r.negative || r.integer_digits > far->at.integer.size());
  }

  static int of_integers(const Reading& r, int so_far, const Decimal& bound) {
    const size_t digits = bound.integer.size();
    return r.integer_digits == digits ? so_far : r.integer_digits < digits ? -1 : 1;
  }

  Reading behind_digit(const Reading& from, char d) const {
    Reading to = from;
    const bool behind_point = from.phase >= Reading::kPoint;
    const auto value = static_cast<uint64_t>(d - '0');
    const auto compared = [&](int so_far, const std::optional<Bound>& bound) {
      if (so_far != 0 || !bound) return so_far;
      const std::string& digits = behind_point ? bound->at.fraction : bound->at.integer;
      const size_t at = behind_point ? from.places : from.integer_digits;
      if (!behind_point && at >= digits.size()) return 0;  // of more digits: of_integers knows
      const char other = at < digits.size() ? digits[at] : '0';
      return d < other ? -1 : d > other ? 1 : 0;
    };
    to.to_least = compared(from.to_least, range_.least);
    to.to_most = compared(from.to_most, range_.most);
    for (size_t i = 0; i < divisors_.size(); ++i) {
      const Divisor& by = divisors_[i];
      if (!behind_point || from.places < by.places) {
        to.rests[i] = (from.rests[i] * 10 + value) % by.by;
      } else if (d != '0') {
        to.rests[i] = by.by;  // no multiple any more
      }
    }
    to.zero = from.zero && d == '0';
    to.whole = from.whole && (!behind_point || d == '0');
    --to.left;
    if (!behind_point)
      ++to.integer_digits;
    else if (to.places < places_)
      ++to.places;
    return to;
  }

  bool is_within(const Reading& r) const {
    if (r.phase < Reading::kZero || r.phase == Reading::kPoint) return false;
    if (r.zero && r.negative) return false;
    if (!(r.whole ? integers_ : fractions_)) return false;
    if (range_.least) {
      const int c = compared(r, r.to_least, range_.least->at);
      if (c < 0 || (c == 0 && range_.least->open)) return false;
    }
    if (range_.most) {
      const int c = compared(r, r.to_most, range_.most->at);
      if (c > 0 || (c == 0 && range_.most->open)) return false;
    }
    for (size_t i = 0; i < divisors_.size(); ++i) {
      if ((rest(r, i) == 0) != (i < range_.multiples_of.size())) return false;
    }
    return true;
  }

  // With its sign.
  static int compared(const Reading& r, int so_far, const Decimal& bound) {
    if (r.negative != bound.negative) return r.negative ? -1 : 1;
    int out = r.phase == Reading::kFraction ? so_far : of_integers(r, so_far, bound);
    const size_t places = r.phase == Reading::kFraction ? r.places : 0;
    if (out == 0 && places < bound.fraction.size()) out = -1;  // whose last digit is not 0
    return r.negative ? -out : out;
  }

  uint64_t rest(const Reading& r, size_t divisor) const {
    const Divisor& by = divisors_[divisor];
    uint64_t out = r.rests[divisor];
    if (out == by.by) return out;
    for (size_t p = r.phase == Reading::kFraction ? r.places : 0; p < by.places; ++p) out = out * 10 % by.by;
    return out;
  }

  const NumberRange& range_;
  const bool integers_, fractions_;
  std::vector<Divisor> divisors_;
  size_t digits_ = kUsualDigits, places_ = 0;
  std::map<Reading, uint32_t> numbers_;
  std::vector<const Reading*> readings_;  // by state
  Automaton out_;
};

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

void NumberRange::meet(const NumberRange& o) {
  if (o.least) raise(*o.least);
  if (o.most) lower(*o.most);
  multiples_of.insert(multiples_of.end(), o.multiples_of.begin(), o.multiples_of.end());
  no_multiples_of.insert(no_multiples_of.end(), o.no_multiples_of.begin(), o.no_multiples_of.end());
}

bool NumberRange::contains(const Decimal& d) const {
  const int low = least ? compare(d, least->at) : 1, high = most ? compare(d, most->at) : -1;
  return (low > 0 || (low == 0 && !least->open)) && (high < 0 || (high == 0 && !most->open)) &&
         std::all_of(multiples_of.begin(), multiples_of.end(),
                     [&](const Decimal& of) { return is_multiple(d, of); }) &&
         std::none_of(no_multiples_of.begin(), no_multiples_of.end(),
                      [&](const Decimal& of) { return is_multiple(d, of); });
}

bool is_multiple(const Decimal& d, const Decimal& of) {
  const Divisor by = divisor_of(of);
  if (d.fraction.size() > by.places) return false;
  uint64_t rest = 0;
  for (const char c : d.integer + d.fraction + std::string(by.places - d.fraction.size(), '0'))
    rest = (rest * 10 + static_cast<uint64_t>(c - '0')) % by.by;
  return rest == 0;
}

std::optional<Automaton> numbers_within(const NumberRange& range, bool integers, bool fractions) {
  return Numbers(range, integers, fractions).texts();
}

}  // namespace lmc::grammar
