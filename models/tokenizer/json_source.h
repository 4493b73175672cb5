// What a tokenizer.json holds, before it becomes an image. The two large tables, vocab and merges, are read
// as they stream by; everything else is an ordinary JSON value.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lmc::tokenizer {

struct JsonSource {
  struct Entry {  // of the vocabulary
    size_t offset;
    uint32_t length;
    int32_t id;
  };
  struct Pair {  // a merge: two texts, one behind the other
    size_t offset;
    uint32_t left_length;
    uint32_t right_length;
  };

  nlohmann::json rest;  // the whole file without model.vocab and model.merges
  std::string pool;
  std::vector<Entry> vocab;
  std::vector<Pair> merges;
  bool has_vocab = false;
  bool has_merges = false;

  std::string_view text(size_t offset, size_t length) const {
    return std::string_view(pool).substr(offset, length);
  }
};

// Throws lmc::Error naming `file`, with line and column where it is not JSON.
JsonSource parse_json_source(std::string_view json, const std::string& file);

}  // namespace lmc::tokenizer
