// Lines typed at a terminal, with arrows, history and pastes: libedit, and what it lacks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/generate/line_reader.h"

namespace lmc {

// Keys are those of Emacs and of most shells; Alt-Enter begins a new line of the same text, and so does every
// line of a paste (bracketed paste: terminals that have it say where a paste begins and ends). Tab completes
// the first word.
class LineEditor {
 public:
  // Is there a terminal to edit on?
  static bool possible();

  // `words`: what Tab completes at the beginning of a line.
  explicit LineEditor(std::vector<std::string> words);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Text of any length, without the newline that ended it. After an interruption it is what was typed until
  // then, and gone from the screen.
  LineReader::Event next(const std::string& prompt, std::string& line);
  // As the newest that the arrow up brings back.
  void remember(const std::string& text);

 private:
  struct Parts;
  struct Calls;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lmc
