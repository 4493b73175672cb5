// Plain values in a row of bytes, as one rank tells others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "ir/error.h"

namespace lmc {

class MessageWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), from, from + sizeof value);
  }
  template <class T>
  void put_all(const std::vector<T>& values) {
    put(static_cast<int64_t>(values.size()));
    const auto from = std::as_bytes(std::span(values));
    bytes_.insert(bytes_.end(), from.begin(), from.end());
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class MessageReader {
 public:
  explicit MessageReader(std::span<const std::byte> bytes) : left_(bytes) {}

  bool ended() const { return left_.empty(); }
  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T out;
    std::memcpy(&out, piece(sizeof out).data(), sizeof out);
    return out;
  }
  template <class T>
  std::vector<T> get_all() {
    const auto count = get<int64_t>();
    if (count < 0 || static_cast<size_t>(count) > left_.size() / sizeof(T))
      throw Error("rank 0 has sent a message that is too short");
    std::vector<T> out(static_cast<size_t>(count));
    const auto from = piece(out.size() * sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), from.data(), from.size());
    return out;
  }

 private:
  std::span<const std::byte> piece(size_t size) {
    if (size > left_.size()) throw Error("rank 0 has sent a message that is too short");
    const auto out = left_.first(size);
    left_ = left_.subspan(size);
    return out;
  }

  std::span<const std::byte> left_;
};

}  // namespace lmc
