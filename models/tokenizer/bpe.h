// Byte pair encoding of one word: its characters, joined by the lowest ranked merge until none applies.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {

class Bpe {
 public:
  // `spec` holds the model's options (all but vocab and merges); `image` must outlive this.
  Bpe(const Image& image, const Fields& spec);

  // Memory that is used again from word to word; each caller has its own.
  struct Scratch {
    struct Symbol {
      int32_t id;
      uint32_t previous;
      uint32_t next;
      const Merge* merge;   // of this symbol and the next one; null if there is none
      bool joined = false;  // already part of the symbol before it
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> queue;  // rank << 32 | position: smallest first means lowest rank, then leftmost
  };

  // Appends the ids of `word`. O(n log n) in its length.
  void encode(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const;

 private:
  int32_t model_id(std::string_view text) const;  // or kNone
  int32_t id_of_char(std::string_view text, char32_t code) const;
  bool append_bytes(std::string_view text, Scratch& scratch) const;
  void append_symbols(std::string_view word, Scratch& scratch) const;
  void find_merge(Scratch& scratch, uint32_t at) const;
  void merge_all(Scratch& scratch) const;

  static constexpr int32_t kNone = -1;
  static constexpr size_t kDirectChars = 0x800;  // ASCII, the byte alphabet and all of two bytes

  const Image* image_;
  int32_t unknown_ = kNone;
  bool fuse_unknown_ = false;
  bool byte_fallback_ = false;
  bool ignore_merges_ = false;
  std::vector<int32_t> direct_;          // id by character
  std::array<int32_t, 256> byte_ids_{};  // of <0x00> to <0xFF>
};

}  // namespace lmc::tokenizer
