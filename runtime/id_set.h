// Which tokens of a vocabulary may be chosen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmc {

class IdSet {
 public:
  // Empty.
  explicit IdSet(int64_t vocab);

  void add(int64_t first, int64_t last);  // both included; 0 <= first <= last < vocab
  void add(int64_t id) { bytes_[static_cast<size_t>(id / 8)] |= static_cast<uint8_t>(1U << (id % 8)); }
  void add(const IdSet& others);  // of the same vocabulary
  void clear();
  bool contains(int64_t id) const { return (bytes_[static_cast<size_t>(id / 8)] >> (id % 8) & 1) != 0; }
  int64_t size() const;              // ids in it
  std::vector<int32_t> ids() const;  // these, in order
  int64_t vocab() const { return vocab_; }

  // As StepInfo::allowed wants it.
  const uint8_t* bits() const { return bytes_.data(); }
  // Of [rows, vocab] logits: those of other ids become -inf.
  void restrict(std::span<float> logits) const;

 private:
  uint64_t word(size_t byte) const;  // eight bytes from there on

  int64_t vocab_;
  std::vector<uint8_t> bytes_;
};

}  // namespace lmc
