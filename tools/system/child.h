// lmc calling itself: what must be measured or made in a process of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/temporaries.h"

namespace lmc {

// Runs this executable with `arguments` and returns its standard output. Error with the child's last message
// if it fails. What it says on stderr is not shown.
std::string run_lmc(const std::vector<std::string>& arguments);

// A folder for a command's files that disappears with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();  // in $TMPDIR
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<Temporary> listed_;
};

}  // namespace lmc
