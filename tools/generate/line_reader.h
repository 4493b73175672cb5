// Standard input line by line, where a Ctrl-C while waiting is an event and not the end.
#pragma once

#include <string>

namespace lmc {

class LineReader {
 public:
  enum class Event : uint8_t { line, interrupted, end };
  // `line` gets the next one, without its newline; the last one may lack it. Error if reading fails.
  Event next(std::string& line);

 private:
  std::string pending_;
  bool ended_ = false;
};

}  // namespace lmc
