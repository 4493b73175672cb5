#include "tools/cli/text_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace lmc {

TextTable::TextTable(std::vector<std::string> columns) {
  for (std::string& c : columns) {
    left_.push_back(c.starts_with('<'));
    if (left_.back()) c.erase(0, 1);
  }
  row(std::move(columns));
  rule();
}

void TextTable::row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
void TextTable::rule() { rows_.emplace_back(); }

std::string TextTable::str() const {
  std::vector<size_t> widths(left_.size());
  for (const auto& r : rows_)
    for (size_t c = 0; c < r.size(); ++c) widths[c] = std::max(widths[c], r[c].size());
  size_t all = 0;
  for (const size_t w : widths) all += w + 2;
  std::string out;
  for (const auto& r : rows_) {
    std::string line = r.empty() ? "  " + std::string(all - 2, '-') : "";
    for (size_t c = 0; c < r.size(); ++c)
      line += left_[c] ? fmt::format("  {:<{}}", r[c], widths[c]) : fmt::format("  {:>{}}", r[c], widths[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace lmc
