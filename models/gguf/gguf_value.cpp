// Values of GGUF metadata as numbers and texts.
#include <charconv>
#include <cstring>
#include <utility>

#include "models/gguf/gguf.h"

namespace lmc {

double decimal(float f) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, f).ptr;
  double out = f;
  std::from_chars(text, end, out);
  return out;
}

namespace {

template <class T>
T load(std::string_view bytes, size_t at) {
  T v;
  std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}

// The number of `type` at `at`, handed to `f` as it is.
template <class F>
bool visit_number(GgufType type, std::string_view bytes, size_t at, const F& f) {
  switch (type) {
    case GgufType::u8:
      return f(load<uint8_t>(bytes, at)), true;
    case GgufType::i8:
      return f(load<int8_t>(bytes, at)), true;
    case GgufType::u16:
      return f(load<uint16_t>(bytes, at)), true;
    case GgufType::i16:
      return f(load<int16_t>(bytes, at)), true;
    case GgufType::u32:
      return f(load<uint32_t>(bytes, at)), true;
    case GgufType::i32:
      return f(load<int32_t>(bytes, at)), true;
    case GgufType::u64:
      return f(load<uint64_t>(bytes, at)), true;
    case GgufType::i64:
      return f(load<int64_t>(bytes, at)), true;
    case GgufType::boolean:
      return f(int64_t{load<uint8_t>(bytes, at) != 0}), true;
    case GgufType::f32:
      return f(load<float>(bytes, at)), true;
    case GgufType::f64:
      return f(load<double>(bytes, at)), true;
    case GgufType::text:
    case GgufType::array:
      break;
  }
  return false;
}

std::optional<int64_t> integer_at(GgufType type, std::string_view bytes, size_t at) {
  std::optional<int64_t> out;
  visit_number(type, bytes, at, [&](auto v) {
    if constexpr (std::is_integral_v<decltype(v)>) {
      if (std::in_range<int64_t>(v)) out = static_cast<int64_t>(v);
    }
  });
  return out;
}

std::optional<double> real_at(GgufType type, std::string_view bytes, size_t at) {
  std::optional<double> out;
  visit_number(type, bytes, at, [&](auto v) {
    if constexpr (std::is_same_v<decltype(v), float>) {
      out = decimal(v);
    } else {
      out = static_cast<double>(v);
    }
  });
  return out;
}

// Every element of an array of numbers through `get`; nullopt if one is of another kind.
template <class T, class Get>
std::optional<std::vector<T>> all(const GgufValue& v, const Get& get) {
  if (v.type != GgufType::array) return std::nullopt;
  std::vector<T> out;
  const size_t size = v.count == 0 ? 0 : v.bytes.size() / v.count;
  for (uint64_t i = 0; i < v.count; ++i) {
    const auto x = get(v.element, v.bytes, i * size);
    if (!x) return std::nullopt;
    out.push_back(*x);
  }
  return out;
}

}  // namespace

std::optional<int64_t> GgufValue::integer() const { return integer_at(type, bytes, 0); }
std::optional<double> GgufValue::real() const { return real_at(type, bytes, 0); }

std::optional<std::string_view> GgufValue::text() const {
  if (type != GgufType::text) return std::nullopt;
  return bytes;
}

std::optional<std::vector<int64_t>> GgufValue::integers() const { return all<int64_t>(*this, integer_at); }
std::optional<std::vector<double>> GgufValue::reals() const { return all<double>(*this, real_at); }

std::optional<std::vector<std::string_view>> GgufValue::texts() const {
  if (type != GgufType::array || element != GgufType::text) return std::nullopt;
  std::vector<std::string_view> out;
  out.reserve(count);
  for (size_t at = 0; at < bytes.size();) {
    const auto length = load<uint64_t>(bytes, at);
    out.push_back(bytes.substr(at + 8, length));
    at += 8 + length;
  }
  return out;
}

}  // namespace lmc
