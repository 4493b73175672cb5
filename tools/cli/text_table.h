// Plain text tables: columns as wide as they must be, numbers flush right.
#pragma once

#include <string>
#include <vector>

namespace lmc {

class TextTable {
 public:
  // Columns whose name begins with '<' are text, flush left; the '<' is not shown.
  explicit TextTable(std::vector<std::string> columns);
  void row(std::vector<std::string> cells);
  void rule();  // a line between rows
  std::string str() const;

 private:
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;  // the first is the header; empty: a rule
};

}  // namespace lmc
