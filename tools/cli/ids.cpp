#include "tools/cli/ids.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::string number_list(std::span<const float> numbers) {
  fmt::memory_buffer out;
  for (size_t i = 0; i < numbers.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{:.9g}", i ? "," : "", numbers[i]);
  return "[" + fmt::to_string(out) + "]";
}

std::string id_list(std::span<const int32_t> ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

}  // namespace lmc
