// lmc calling itself: what must be measured or made in a process of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/temporaries.h"

namespace lmc {

enum class ChildSays : uint8_t { nothing, all };  // of what the child says on stderr

// Runs this executable with `arguments` and returns its standard output. Error if it fails, with the child's
// last message unless that was shown.
std::string run_lmc(const std::vector<std::string>& arguments, ChildSays says = ChildSays::nothing);

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
