// GGUF files put together byte by byte, right or wrong.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include "tests/unit/temporary.h"

namespace lmc {

class GgufBytes {
 public:
  GgufBytes& u32(uint32_t v) { return raw(&v, 4); }
  GgufBytes& u64(uint64_t v) { return raw(&v, 8); }
  GgufBytes& f32(float v) { return raw(&v, 4); }
  GgufBytes& text(const std::string& s) {
    u64(s.size());
    bytes += s;
    return *this;
  }
  GgufBytes& header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    bytes += "GGUF";
    return u32(version).u64(tensors).u64(keys);
  }
  GgufBytes& key_u32(const std::string& key, uint32_t v) { return text(key).u32(4).u32(v); }
  GgufBytes& key_text(const std::string& key, const std::string& v) { return text(key).u32(8).text(v); }
  // Dimensions as the file has them: the fastest first.
  GgufBytes& tensor(const std::string& name, const std::vector<uint64_t>& dims, uint32_t format,
                    uint64_t offset) {
    text(name).u32(static_cast<uint32_t>(dims.size()));
    for (const uint64_t d : dims) u64(d);
    return u32(format).u64(offset);
  }
  GgufBytes& pad(size_t to = 32) {
    while (bytes.size() % to != 0) bytes += '\0';
    return *this;
  }
  GgufBytes& data(const std::string& s) {
    bytes += s;
    return *this;
  }
  std::string file(const std::string& name = "t.gguf") const {
    const std::string path = temporary(name);
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string bytes;

 private:
  GgufBytes& raw(const void* p, size_t n) {
    bytes.append(static_cast<const char*>(p), n);
    return *this;
  }
};

}  // namespace lmc
