// What must not stay if the process ends at once, where no destructor runs: no memory is left, a second
// Ctrl-C.
#pragma once

#include <cstddef>
#include <string>

namespace lmc {

// While it lives, `path` (a file, or a folder of files) is on the list. Removing it in the usual way stays
// with its owner.
class Temporary {
 public:
  explicit Temporary(const std::string& path);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

 private:
  size_t slot_;
};

// Removes all of the list. Neither allocates nor locks: a signal handler may call it.
void remove_temporaries() noexcept;

}  // namespace lmc
