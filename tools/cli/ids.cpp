#include "tools/cli/ids.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "tools/cli/console.h"

namespace lmc {

std::vector<int32_t> parse_ids(const std::string& text) {
  std::vector<int32_t> out;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int32_t id = 0;
    const auto r = std::from_chars(at, end, id);
    if (r.ec != std::errc() || (r.ptr != end && *r.ptr != ',')) {
      throw UsageError("--ids must be whole numbers separated by commas, such as 2,119,166; found '" + text +
                       "'");
    }
    out.push_back(id);
    at = r.ptr == end ? end : r.ptr + 1;
  }
  if (out.empty()) throw UsageError("--ids is empty");
  return out;
}

std::vector<int32_t> parse_spaced_ids(std::string_view text, int32_t vocab) {
  constexpr std::string_view kBetween = ", \t\r\n";
  std::vector<int32_t> out;
  for (size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;
       at = text.find_first_not_of(kBetween, at)) {
    const size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    int64_t id = 0;
    const auto r = std::from_chars(word.data(), word.data() + word.size(), id);
    if (r.ptr != word.data() + word.size() || r.ec == std::errc::invalid_argument) {
      throw UsageError("token ids must be whole numbers with commas or spaces between; found '" +
                       std::string(word.substr(0, 40)) + "'");
    }
    if (r.ec != std::errc() || id < 0 || id >= vocab) {
      throw Error("token id " + std::string(word.substr(0, 40)) + " is outside the vocabulary of " +
                  std::to_string(vocab));
    }
    out.push_back(static_cast<int32_t>(id));
    at = end;
  }
  return out;
}

std::string number_list(std::span<const float> numbers) {
  fmt::memory_buffer out;
  for (size_t i = 0; i < numbers.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{:.9g}", i ? "," : "", numbers[i]);
  return "[" + fmt::to_string(out) + "]";
}

std::string id_list(std::span<const int32_t> ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

}  // namespace lmc
