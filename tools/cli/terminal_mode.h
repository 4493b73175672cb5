// The terminal while a conversation reads from it: what is typed or pasted comes at once and whole. In the
// system's usual mode a line ends at 4095 bytes, and the rest is lost without a word.
#pragma once

namespace lmc {

// Between questions nothing is echoed either, since an answer is being written; it is there at the next
// prompt. One object at a time.
class TerminalMode {
 public:
  explicit TerminalMode(int fd);  // does nothing to what is no terminal
  ~TerminalMode();                // as it was before
  TerminalMode(const TerminalMode&) = delete;
  TerminalMode& operator=(const TerminalMode&) = delete;

  // Again, where somebody else has changed it: a shell that had stopped us, an editor of lines.
  void apply() const;
};

// Where the process ends at once: as it was before, if a TerminalMode lives. A signal handler may call it.
void restore_terminal() noexcept;

}  // namespace lmc
