#include "models/text/json_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "ir/files.h"

namespace lmc {
namespace {

using nlohmann::json;

constexpr int kDeepest = 64;
constexpr size_t kMostOrderedKeys = 4096;

// Looks over the text before values are made of it: brackets, and what the values will take, about.
// Containers and texts are allocated, keys stand in nodes of a tree, and a list grows by doubling.
void check_extent(std::string_view text, const std::string& file) {
  constexpr uint64_t kContainer = 96, kItem = 32, kKey = 96, kText = 48;
  uint64_t bytes = text.size();
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        bytes += kText;
        for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
        break;
      case '{':
      case '[':
        bytes += kContainer;
        if (++depth > kDeepest) throw Error(Location{file}, "brackets are nested more than 64 deep");
        break;
      case '}':
      case ']':
        --depth;
        break;
      case ',':
        bytes += kItem;
        break;
      case ':':
        bytes += kKey;
        break;
      default:
        break;
    }
  }
  if (bytes > (uint64_t{32} << 20) + 6 * text.size())
    throw Error(Location{file}, "its values take more memory than a file of its size may");
}

template <class Json>
Json parsed_as(std::string_view text, const std::string& file, bool distinct) {
  check_extent(text, file);
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int, typename Json::parse_event_t event, Json& parsed) {
    using Event = typename Json::parse_event_t;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.template get<std::string>()).second)
      throw Error(Location{file}, "'" + parsed.template get<std::string>() + "' is given twice");
    return true;
  };
  try {
    return distinct ? Json::parse(text.begin(), text.end(), check) : Json::parse(text.begin(), text.end());
  } catch (const json::parse_error& e) {
    throw json_error(text, e.byte, file, e);
  } catch (const json::exception& e) {
    throw json_error(text, text.size(), file, e);
  }
}

}  // namespace

Error json_error(std::string_view text, size_t byte, const std::string& file, const std::exception& e) {
  const std::string_view before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
  std::string reason = e.what();
  if (const size_t colon = reason.find(": "); colon != std::string::npos) reason.erase(0, colon + 2);
  return Error(Location{file, static_cast<int>(std::count(before.begin(), before.end(), '\n') + 1),
                        static_cast<int>(before.size() - line_start + 1)},
               "not well-formed JSON: " + reason);
}

json parse_json(std::string_view text, const std::string& file, bool distinct) {
  return parsed_as<json>(text, file, distinct);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& file) {
  using Ordered = nlohmann::ordered_json;
  check_extent(text, file);
  std::vector<size_t> keys;  // of the objects around
  const auto check = [&](int, Ordered::parse_event_t event, Ordered&) {
    if (event == Ordered::parse_event_t::object_start) keys.push_back(0);
    if (event == Ordered::parse_event_t::object_end) keys.pop_back();
    if (event == Ordered::parse_event_t::key && ++keys.back() > kMostOrderedKeys)
      throw Error(Location{file}, "an object has more than " + std::to_string(kMostOrderedKeys) + " keys");
    return true;
  };
  try {
    return Ordered::parse(text.begin(), text.end(), check);
  } catch (const json::parse_error& e) {
    throw json_error(text, e.byte, file, e);
  } catch (const json::exception& e) {
    throw json_error(text, text.size(), file, e);
  }
}

json read_json(const std::string& path) { return parse_json(read_file(path), path); }

nlohmann::ordered_json read_ordered_json(const std::string& path) {
  return parsed_as<nlohmann::ordered_json>(read_file(path), path, false);
}

}  // namespace lmc
