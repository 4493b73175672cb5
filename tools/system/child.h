// lmc calling itself: what must be measured or made in a process of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/temporaries.h"

namespace lmc {

enum class ChildSays : uint8_t { nothing, all };  // of what the child says on stderr

// Runs this executable with `arguments` and returns its standard output. Error if it fails, with the child's
// last message unless that was shown.
std::string run_lmc(const std::vector<std::string>& arguments, ChildSays says = ChildSays::nothing);

// This executable beside this process, such as a server.
class LmcProcess {
 public:
  explicit LmcProcess(const std::vector<std::string>& arguments);
  ~LmcProcess();  // ends it at once, if it still runs
  LmcProcess(const LmcProcess&) = delete;
  LmcProcess& operator=(const LmcProcess&) = delete;

  // Waits for a line of its stderr that holds `mark`, and returns what stands behind it. Error with its last
  // message if it ends instead; Interrupted.
  std::string said(const std::string& mark);
  // Asks it to end (SIGTERM) and waits. Error with its last message if it fails.
  void end();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

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
