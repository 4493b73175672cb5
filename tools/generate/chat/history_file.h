// What was typed in earlier conversations, for the arrow up: a JSON string a line, for this user's eyes
// alone.
#pragma once

#include <string>
#include <vector>

namespace lmc {

// $XDG_STATE_HOME/lmc/chat_history, else ~/.local/state/lmc/chat_history; "" if neither is set.
std::string chat_history_file();

class HistoryFile {
 public:
  // `file` may not exist yet; "": nothing is kept. What goes wrong with it is said once, and is no error.
  explicit HistoryFile(std::string file);

  // Oldest first. Lines that are damaged are passed over; a file that has grown is cut to its newest ones.
  std::vector<std::string> load();
  // At once, so that conversations at the same time lose nothing. Neither what begins with a space nor what
  // is very long is kept.
  void add(const std::string& text);

 private:
  void give_up(const std::string& why);

  std::string file_;
};

}  // namespace lmc
