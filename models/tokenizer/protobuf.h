// The wire format of protocol buffers, read field by field. Knows no schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lmc::tokenizer {

// One field of a message. The typed accessors throw lmc::Error, naming file and field, if it is of another
// kind.
class WireField {
 public:
  uint32_t number() const { return number_; }
  std::string_view bytes(const char* name) const;  // strings and messages
  std::string_view text(const char* name) const;   // bytes that must be UTF-8
  float real(const char* name) const;
  int64_t integer(const char* name) const;
  bool flag(const char* name) const { return integer(name) != 0; }

 private:
  friend class WireReader;
  enum Kind : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  void require(Kind kind, const char* name, const char* expected) const;

  uint32_t number_ = 0;
  Kind kind_ = kVarint;
  uint64_t value_ = 0;
  std::string_view bytes_;
  const class WireReader* reader_ = nullptr;
};

class WireReader {
 public:
  // `path` is where the message stands, such as "pieces[3]"; file and path are named in errors.
  WireReader(std::string_view message, std::string file, std::string path)
      : rest_(message), file_(std::move(file)), path_(std::move(path)) {}

  // False at the end. Throws lmc::Error for what is no field or is cut off.
  bool next(WireField& field);
  [[noreturn]] void fail(const std::string& message) const;  // "file: path: message"
  [[noreturn]] void fail(const char* name, const std::string& message) const;

 private:
  uint64_t varint();
  std::string_view take(uint64_t bytes);

  std::string_view rest_;
  std::string file_;
  std::string path_;
};

}  // namespace lmc::tokenizer
