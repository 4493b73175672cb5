#include "tools/hub/header_line.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace lmc {
namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view without_spaces_around(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

void read_header_line(HttpResponse& answer, std::string_view line) {
  if (line.starts_with("HTTP/")) answer.headers.clear();  // after "100 Continue" or a proxy's answer
  const size_t colon = line.find(':');
  if (colon == line.npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  answer.headers[name] = without_spaces_around(line.substr(colon + 1));
}

}  // namespace lmc
