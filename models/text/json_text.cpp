#include "models/text/json_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "ir/budget.h"
#include "ir/files.h"

namespace lmc {
namespace {

using nlohmann::json;
using Event = json::parse_event_t;

constexpr int kDeepest = 64;

// What a value takes in memory, about: containers and long texts are allocated, keys stand in nodes of a
// tree.
template <class Json>
uint64_t bytes_of(Event event, const Json& parsed) {
  constexpr uint64_t kValue = 32, kContainer = 96, kKey = 112, kText = 48;
  switch (event) {
    case Event::object_start:
    case Event::array_start:
      return kContainer;
    case Event::key:
      return kKey + parsed.template get_ref<const std::string&>().size();
    case Event::value:
      return kValue + (parsed.is_string() ? kText + parsed.template get_ref<const std::string&>().size() : 0);
    default:
      return 0;
  }
}

Location place_in(std::string_view text, size_t byte, const std::string& file) {
  const std::string_view before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {file, static_cast<int>(std::count(before.begin(), before.end(), '\n') + 1),
          static_cast<int>(before.size() - line_start + 1)};
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
std::string reason_of(const json::exception& e) {
  std::string out = e.what();
  if (const size_t colon = out.find(": "); colon != std::string::npos) out.erase(0, colon + 2);
  return out;
}

template <class Json>
Json parsed_as(std::string_view text, const std::string& file, bool distinct) {
  Budget budget((uint64_t{32} << 20) + 6 * text.size(),
                "its values take more memory than a file of its size may");
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, typename Json::parse_event_t kind, Json& parsed) {
    const auto event = static_cast<Event>(kind);
    if (depth > kDeepest) throw Error(Location{file}, "brackets are nested more than 64 deep");
    budget.take(bytes_of(event, parsed), Location{file});
    if (!distinct) return true;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.template get<std::string>()).second)
      throw Error(Location{file}, "'" + parsed.template get<std::string>() + "' is given twice");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const json::parse_error& e) {
    throw Error(place_in(text, e.byte, file), "not well-formed JSON: " + reason_of(e));
  } catch (const json::exception& e) {
    throw Error(Location{file}, "not well-formed JSON: " + reason_of(e));
  }
}

}  // namespace

json parse_json(std::string_view text, const std::string& file, bool distinct) {
  return parsed_as<json>(text, file, distinct);
}

json read_json(const std::string& path) { return parse_json(read_file(path), path); }

nlohmann::ordered_json read_ordered_json(const std::string& path) {
  return parsed_as<nlohmann::ordered_json>(read_file(path), path, false);
}

}  // namespace lmc
