// The values of a chat template: what Jinja calls undefined, none, booleans, numbers, strings, lists, dicts
// and functions. Strings, lists and dicts are shared, as in Python, so that a copy costs nothing; what making
// one takes is charged to the rendering where it is made, so that no built-in can forget to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lmc::chat {

struct Value;
struct Arguments;

struct Undefined {
  std::string name;  // for messages
};
struct None {};
using List = std::vector<Value>;
using Dict = std::vector<std::pair<std::string, Value>>;  // in order of insertion
using Function = std::function<Value(const Arguments&)>;

// Takes steps from the rendering that runs in this thread, if one does (Run, program.h). Error when it has no
// more.
void charge(size_t steps);
inline constexpr size_t kBytesPerStep = 64;  // of text, made or walked over

struct Value {
  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>,
               std::shared_ptr<List>, std::shared_ptr<Dict>, std::shared_ptr<Function>>
      v;

  Value() = default;
  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, Value> && !std::is_convertible_v<T, std::string_view>)
      Value(T&& x)
      : v(std::forward<T>(x)) {}
  Value(std::string text);
  Value(const char* text) : Value(std::string(text)) {}
  static Value list(List items = {});
  static Value dict(Dict items = {});
  static Value function(Function f) { return {std::make_shared<Function>(std::move(f))}; }

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(v);
  }
  bool is_list() const { return is<std::shared_ptr<List>>(); }
  bool is_dict() const { return is<std::shared_ptr<Dict>>(); }
  bool is_function() const { return is<std::shared_ptr<Function>>(); }
  bool is_text() const { return is<std::shared_ptr<const std::string>>(); }
  bool is_number() const { return is<bool>() || is<int64_t>() || is<double>(); }
  bool is_whole() const { return is<bool>() || is<int64_t>(); }

  List& items() const { return *std::get<std::shared_ptr<List>>(v); }
  Dict& entries() const { return *std::get<std::shared_ptr<Dict>>(v); }
  const std::string& text() const { return *std::get<std::shared_ptr<const std::string>>(v); }
  int64_t whole() const { return is<bool>() ? std::get<bool>(v) : std::get<int64_t>(v); }
  double number() const { return is<double>() ? std::get<double>(v) : static_cast<double>(whole()); }
};

struct Arguments {
  std::vector<Value> positional;
  Dict named;

  // The argument at that place or of that name; null if it is not given.
  const Value* find(size_t place, const std::string& name) const;
};

// Larger values are refused, so that no template fills the memory.
inline constexpr size_t kLongestText = 16 << 20;
inline constexpr size_t kMostItems = 1'000'000;
const std::string& limited(const std::string& text);  // Error if it is longer
std::string limited(std::string&& text);

size_t walking_cost(const Value& v);  // steps to walk over it
// As std::string::find, in time linear in both.
size_t find_text(std::string_view in, std::string_view what, size_t from = 0);
const char* kind_name(const Value& v);  // "a string", …
bool truth(const Value& v);
bool equal(const Value& a, const Value& b);
// What {{ v }} prints: strings as they are, None, True, 1.5, ['a', 1]. Lists and dicts of at most 1 MiB.
std::string printed(const Value& v);
std::string json_text(const Value& v, int64_t indent);  // indent < 0: on one line
const Value* entry(const Value& dict, const std::string& key);
void set_entry(const Value& dict, const std::string& key, Value value);

}  // namespace lmc::chat
