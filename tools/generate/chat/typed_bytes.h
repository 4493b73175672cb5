// What is typed at a terminal, character by character, where Ctrl-C and a changed window wake who waits.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace lmc {

class TypedBytes {
 public:
  enum class Read : uint8_t { character, interrupted, end };

  // `changed` is called while waiting, when the window's size has changed, or the process goes on after it
  // was `stopped` and somebody else may have used the terminal.
  TypedBytes(int fd, std::function<void(bool stopped)> changed);
  ~TypedBytes();
  TypedBytes(const TypedBytes&) = delete;
  TypedBytes& operator=(const TypedBytes&) = delete;

  // The next character; U+FFFD for each part that is no UTF-8. Error if reading fails.
  Read next(char32_t& character);
  // What has been typed ahead, and nobody has seen, is forgotten.
  void forget() { bytes_.clear(); }

 private:
  bool wait();

  int fd_;
  std::function<void(bool stopped)> changed_;
  std::string bytes_;  // read, but not handed out
  bool ended_ = false;
};

}  // namespace lmc
