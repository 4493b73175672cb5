// Zeroed memory aligned to 64 bytes: step buffers, caches, scratch. Knows nothing of what lies in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lmc {

// Large arenas are reserved and get pages as they are touched, so a cache for 32k positions costs what is
// used.
class Arena {
 public:
  Arena() = default;
  // `what` names the memory in the error thrown when there is none: "the KV cache of layer 3".
  Arena(int64_t bytes, const char* what);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  std::byte* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  // All zeros again; pages go back to the system.
  void clear();
  // The same for a part of whole memory pages; a small arena keeps it as it is.
  void give_back(int64_t offset, int64_t bytes);
  // What will be written soon gets its pages at once, which takes a fraction of as many page faults. Where
  // the system cannot, or has no memory, they still come as they are touched.
  void commit(int64_t offset, int64_t bytes);
  // For what is all used, before any of it is: large pages where the system has them to give.
  void prefer_large_pages();

 private:
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
  bool mapped_ = false;
};

}  // namespace lmc
