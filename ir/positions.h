// Positions along one axis of a tensor, in an order of their own: where the rows or columns of a view come
// from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmc {

class Positions {
 public:
  // `count` neighbours from `from` on, or one position over and over.
  struct Run {
    int64_t at;  // which of the places is its first
    int64_t from;
    int64_t count;
    bool repeated;
    bool operator==(const Run&) const = default;

    int64_t place(int64_t i) const { return repeated ? from : from + i; }  // the i-th of the run
  };

  static Positions range(int64_t from, int64_t count);
  static Positions repeat(int64_t place, int64_t count);

  void add(int64_t from, int64_t count);  // neighbours
  void add(const Positions& more);

  int64_t size() const { return runs_.empty() ? 0 : runs_.back().at + runs_.back().count; }
  int64_t operator[](int64_t i) const;
  const std::vector<Run>& runs() const { return runs_; }
  bool is_range(int64_t from, int64_t count) const;

  // The i-th is this[wanted[i]].
  Positions pick(const Positions& wanted) const;
  Positions pick(int64_t first, int64_t count) const;

  bool operator==(const Positions&) const = default;

 private:
  void add_run(int64_t from, int64_t count, bool repeated);
  size_t run_of(int64_t i) const;

  std::vector<Run> runs_;
};

}  // namespace lmc
