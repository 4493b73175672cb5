// What a tokenizer file holds, before it becomes an image: the tables of tokens and merges, and the steps
// around them as tokenizer.json writes them. Every file format is read into this.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/image.h"

namespace lmc::tokenizer {

struct Source {
  // Texts stay below this, so that lengths and offsets have 32 bits.
  static constexpr size_t kMaxPool = std::numeric_limits<uint32_t>::max() / 2;

  struct Entry {  // of the vocabulary
    size_t offset;
    uint32_t length;
    int32_t id;
    double score = 0;  // of a Unigram piece: the logarithm of its probability
    uint8_t flags = kInModel;
  };
  struct Pair {  // a merge: two texts, one behind the other
    size_t offset;
    uint32_t left_length;
    uint32_t right_length;
  };

  nlohmann::json rest;  // tokenizer.json without model.vocab and model.merges
  std::string pool;
  std::vector<Entry> vocab;
  std::vector<Pair> merges;
  bool has_vocab = false;   // an object of token: id
  bool has_pieces = false;  // a list of [token, score]; `score` counts
  bool has_merges = false;

  std::string_view text(size_t offset, size_t length) const {
    return std::string_view(pool).substr(offset, length);
  }
};

}  // namespace lmc::tokenizer
