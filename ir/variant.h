// std::variant whose copying may run out of memory. In libstdc++ 12 a variant of numbers, strings and vectors
// alone is taken to hold one of them always, even where its copy constructor has thrown; what lies there is
// then destroyed, whatever it is.
#pragma once

#include <utility>
#include <variant>

namespace lmc {

template <typename... Types>
class Variant : public std::variant<Types...> {
 public:
  using std::variant<Types...>::variant;
  using std::variant<Types...>::operator=;

  // Holds a first alternative, which costs no memory, until the copy of the other is there.
  Variant(const Variant& other) : std::variant<Types...>() { *this = other; }
  Variant(Variant&&) noexcept = default;
  Variant& operator=(const Variant&) = default;
  Variant& operator=(Variant&&) noexcept = default;
  ~Variant() = default;
};

}  // namespace lmc
