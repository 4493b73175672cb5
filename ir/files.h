// Files, each thing in one way: read whole, mapped, and put in place so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ir/temporaries.h"

namespace lmc {

// All of a regular file. Error naming the path and the reason: a folder, a pipe, nothing there, no right to
// read.
std::string read_file(const std::string& path);

// Likewise, of a pipe too, as long as it lasts: for what a user names as an input, "<(command)" included.
std::string read_input(const std::string& path);

// The first bytes of a regular file: fewer where it is shorter, none where there is no such file.
std::string start_of_file(const std::string& path, size_t bytes);

// A whole regular file mapped read-only, and guarded (ir/file_guard.h). Error naming the path for anything
// else.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& o) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// Removes what writers of `path` that were killed left beside it, as PATH.tmp and their process, a day ago or
// longer.
void sweep_beside(const std::string& path);

enum class Access : uint8_t { shared, own };  // own: for this user's eyes alone (0600)

// A file that is written under another name beside its own and gets its own in one step, or is gone: what was
// there stays until then. Where `path` is a symbolic link, the file behind it is replaced.
class NewFile {
 public:
  explicit NewFile(const std::string& path, Access access = Access::shared);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  const std::string& path() const { return temporary_; }  // to be written
  void put_in_place();                                    // Error naming the path

 private:
  std::string path_, temporary_;
  std::optional<Temporary> listed_;  // temporary_
  Access access_;
};

// All of it or nothing, as NewFile; what is no regular file (a pipe, /dev/null) is written to. Error naming
// path and reason.
void write_file(const std::string& path, const std::string& content, Access access = Access::shared);

}  // namespace lmc
