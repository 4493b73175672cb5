// How the rows and numbers of a tensor in a GGUF file differ from those of the checkpoint it was made from.
#pragma once

#include <cstdint>
#include <vector>

namespace lmc {

struct GgufStorage {
  bool transpose = false;
  bool squeeze = false;  // a checkpoint's [a, 1, b] is stored as [a, b]
  int64_t row = 0;       // if set, a vector is stored as rows of so many numbers
  double plus = 0;       // stored = (checkpoint + plus) * times
  double times = 1;
  int64_t rope_heads = 0;           // if set, row 2i+s of a head is the checkpoint's row s*half+i
  std::vector<int64_t> parts = {};  // if set, the checkpoint's rows come in blocks of these parts; stored are
                                    // the first parts of all blocks, then the second ones, …

  bool reorders() const { return rope_heads > 0 || !parts.empty(); }
  bool changes_numbers() const { return plus != 0 || times != 1; }
  // Can `rows` rows be stored like this?
  bool fits(int64_t rows) const;

  // Of a tensor with so many rows: where the checkpoint's row `r` is stored, and the other way round.
  int64_t stored_row(int64_t rows, int64_t r) const;
  int64_t checkpoint_row(int64_t rows, int64_t r) const;

  float stored(float checkpoint) const { return static_cast<float>((checkpoint + plus) * times); }
  float checkpoint(float stored) const { return static_cast<float>(stored / times - plus); }

 private:
  int64_t block() const;
};

}  // namespace lmc
