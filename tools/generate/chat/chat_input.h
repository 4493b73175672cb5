// What a person or a script says to lmc chat, one thing at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/generate/chat/history_file.h"
#include "tools/generate/chat/line_editor.h"
#include "tools/generate/line_reader.h"

namespace lmc {

// At a terminal lines are edited, earlier ones come back, and a text of several lines is written between two
// """, with a \ at the end of each but the last, or pasted. Elsewhere every line of standard input is one
// thing, as it is.
class ChatInput {
 public:
  // `commands`: what Tab completes. `keep`: what is typed is there in later conversations.
  ChatInput(const std::vector<std::string>& commands, bool keep);

  // After an interruption `text` is what was typed until then, "" for nothing.
  LineReader::Event next(std::string& text);

 private:
  LineReader::Event whole(std::string& text);

  LineReader reader_;
  std::unique_ptr<LineEditor> editor_;  // null: not a terminal
  HistoryFile history_;
};

}  // namespace lmc
