// A field is a key (number << 3 | kind) and a value of that kind; see protobuf.dev, "Encoding".
#include "models/tokenizer/protobuf.h"

#include <bit>
#include <cstring>

#include "ir/error.h"
#include "models/text/utf8.h"

namespace lmc::tokenizer {

void WireField::require(Kind kind, const char* name, const char* expected) const {
  if (kind_ == kind) return;
  const char* found = kind_ == kVarint ? "an integer" : kind_ == kBytes ? "a string" : "a fixed-size number";
  reader_->fail(name, std::string("expected ") + expected + ", found " + found);
}

std::string_view WireField::bytes(const char* name) const {
  require(kBytes, name, "a string");
  return bytes_;
}

std::string_view WireField::text(const char* name) const {
  if (!is_valid_utf8(bytes(name))) reader_->fail(name, "is not UTF-8");
  return bytes_;
}

float WireField::real(const char* name) const {
  require(kFixed32, name, "a float");
  return std::bit_cast<float>(static_cast<uint32_t>(value_));
}

int64_t WireField::integer(const char* name) const {
  require(kVarint, name, "an integer");
  return static_cast<int64_t>(value_);
}

void WireReader::fail(const std::string& message) const {
  throw Error(Location{file_}, path_.empty() ? message : path_ + ": " + message);
}

void WireReader::fail(const char* name, const std::string& message) const {
  throw Error(Location{file_}, (path_.empty() ? "" : path_ + ".") + std::string(name) + ": " + message);
}

uint64_t WireReader::varint() {
  uint64_t value = 0;
  for (size_t i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte & 0x80) continue;
    rest_.remove_prefix(i + 1);
    return value;
  }
  fail("not a sound protocol buffer: a number is cut off or too long");
}

std::string_view WireReader::take(uint64_t bytes) {
  if (bytes > rest_.size()) {
    fail("not a sound protocol buffer: a field of " + std::to_string(bytes) + " bytes with " +
         std::to_string(rest_.size()) + " bytes left");
  }
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

bool WireReader::next(WireField& field) {
  if (rest_.empty()) return false;
  const uint64_t key = varint();
  field = {};
  field.reader_ = this;
  if (key >> 3 == 0 || key >> 3 > 0x1FFFFFFF) fail("not a sound protocol buffer: a bad field number");
  field.number_ = static_cast<uint32_t>(key >> 3);
  field.kind_ = static_cast<WireField::Kind>(key & 7);
  if (field.kind_ == WireField::kVarint) {
    field.value_ = varint();
  } else if (field.kind_ == WireField::kBytes) {
    field.bytes_ = take(varint());
  } else if (field.kind_ == WireField::kFixed32 || field.kind_ == WireField::kFixed64) {
    const std::string_view raw = take(field.kind_ == WireField::kFixed32 ? 4 : 8);
    std::memcpy(&field.value_, raw.data(), raw.size());  // little-endian, as this machine
  } else {
    fail("not a sound protocol buffer: a field of kind " + std::to_string(key & 7));
  }
  return true;
}

}  // namespace lmc::tokenizer
