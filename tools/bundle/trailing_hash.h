// The hash of a large file, taken while it is still being written: a thread follows the writers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lmc {

class TrailingHash {
 public:
  // The file at `path` exists and is written in pieces, which end at the bytes `ends` (ascending, the last
  // one the file's size; what lies between two pieces belongs to the later one).
  TrailingHash(std::string path, std::vector<int64_t> ends);
  ~TrailingHash();  // without finish(): gives up
  TrailingHash(const TrailingHash&) = delete;
  TrailingHash& operator=(const TrailingHash&) = delete;

  // Any thread, in any order, once for each piece that is in the file.
  void written(size_t piece);
  // After the last piece: SHA-256 in hex. Error if the file cannot be read.
  std::string finish();

 private:
  void follow();

  std::string path_;
  std::vector<int64_t> ends_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> done_;
  bool stop_ = false;
  std::string hex_;
  std::exception_ptr failure_;  // of the thread; finish() throws it on
  std::thread thread_;
};

}  // namespace lmc
