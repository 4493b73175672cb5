// Whole numbers of JSON. The library's own get<int>() also takes fractions, true, and numbers that no int
// holds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace lmc {

// Anything else throws the library's own exception, as its at() and get() do.
template <class Int, class Json>
Int whole_number(const Json& value) {
  if (value.is_number_unsigned()
          ? std::in_range<Int>(value.template get<uint64_t>())
          : value.is_number_integer() && std::in_range<Int>(value.template get<int64_t>()))
    return value.template get<Int>();
  const std::string found = value.is_number() ? value.dump() : value.type_name();
  throw Json::type_error::create(302,
                                 "must be a whole number" +
                                     std::string(value.is_number_integer() ? " in range" : "") + ", but is " +
                                     found,
                                 &value);
}

template <class Int, class Json>
std::vector<Int> whole_numbers(const Json& values) {
  if (!values.is_array())
    throw Json::type_error::create(302, std::string("must be a list, but is ") + values.type_name(), &values);
  std::vector<Int> out;
  for (const Json& v : values) out.push_back(whole_number<Int>(v));
  return out;
}

}  // namespace lmc
