#include "ir/attr.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace lmc {
namespace {

bool is_plain_name(const std::string& s) {
  if (s.empty() || (!std::isalpha(static_cast<unsigned char>(s[0])) && s[0] != '_')) return false;
  for (char c : s) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') return false;
  }
  return true;
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <class T, class F>
std::string list_text(const std::vector<T>& items, F text) {
  std::string out = "[";
  for (const T& i : items) out += (out.size() > 1 ? "," : "") + text(i);
  return out + "]";
}

std::string real_text(double d) {
  std::array<char, 40> buffer;
  if (d == 0) return std::signbit(d) ? "-0.0" : "0";
  // All digits and beyond 64 bits would read back as a whole number out of range.
  char* const end =
      std::fabs(d) < 0x1p63
          ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), d).ptr
          : std::to_chars(buffer.data(), buffer.data() + buffer.size(), d, std::chars_format::scientific).ptr;
  return std::string(buffer.data(), end);
}

}  // namespace

AttrKind attr_kind(const Attr& a) { return static_cast<AttrKind>(a.index()); }

const char* attr_kind_name(AttrKind k) {
  constexpr std::array<const char*, 5> names = {"integer", "real", "text", "integers", "reals"};
  return names[static_cast<size_t>(k)];
}

bool has_text(const Attr& a) {
  if (const auto* d = std::get_if<double>(&a)) return std::isfinite(*d);
  if (const auto* i = std::get_if<int64_t>(&a)) return *i != INT64_MIN;
  if (const auto* list = std::get_if<std::vector<int64_t>>(&a))
    return std::find(list->begin(), list->end(), INT64_MIN) == list->end();
  if (const auto* list = std::get_if<std::vector<double>>(&a))
    return std::all_of(list->begin(), list->end(), [](double d) { return std::isfinite(d); });
  return true;
}

std::string attr_text(const Attr& a) {
  switch (attr_kind(a)) {
    case AttrKind::integer:
      return std::to_string(std::get<int64_t>(a));
    case AttrKind::real:
      return real_text(std::get<double>(a));
    case AttrKind::text: {
      const auto& s = std::get<std::string>(a);
      return is_plain_name(s) ? s : quoted(s);
    }
    case AttrKind::integers:
      return list_text(std::get<std::vector<int64_t>>(a), [](int64_t i) { return std::to_string(i); });
    case AttrKind::reals:
      return list_text(std::get<std::vector<double>>(a), real_text);
  }
  return "";
}

}  // namespace lmc
