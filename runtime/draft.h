// Guesses at what comes next, for speculative decoding: a guess costs one more row of a step that is made
// anyway, and is kept only where the model says the same. A guess is what followed the longest ending of the
// text when it occurred before, in it or in an earlier request; how much is guessed follows from how often
// such guesses were right and from what the rows cost.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/repeat_index.h"
#include "runtime/step_costs.h"

namespace lmc {

// How often the token that is guessed is right, by the length of the ending that occurred before. Every token
// that comes is held against what would have been guessed, guessed or not, so learning costs nothing.
class GuessOdds {
 public:
  GuessOdds();
  void add(size_t matched, bool right);
  double of(size_t matched) const;  // 0 … 1; matched > 0

 private:
  static constexpr size_t kClasses = 7;  // 1, 2–3, 4–7, …, 64 and more
  static size_t class_of(size_t matched);
  struct Seen {
    double right, all;  // of late
  };
  std::array<Seen, kClasses> seen_;
};

// For all requests of a process, one at a time.
class Drafter {
 public:
  // Guesses 0 … `most` tokens, and where anything is to be guessed from at least `least` (or as many as there
  // is room for), whatever it costs.
  explicit Drafter(size_t most, size_t least = 0);

  // A request begins with `sequence`: the text so far and the prompt. What it has in common with the text
  // before is not indexed twice, so a conversation's turns are one text.
  void start(std::span<const int32_t> sequence);
  // `token` was chosen behind it.
  void add(int32_t token);
  // What may follow, at most `room` tokens.
  std::vector<int32_t> guess(size_t room) const;
  // A step of so many rows, guesses and one, took so long.
  void took(size_t rows, double seconds) { costs_.add(rows, seconds); }

 private:
  size_t length_that_pays(size_t most) const;

  size_t most_, least_;
  RepeatIndex index_;
  std::vector<int32_t> text_;  // of the request
  GuessOdds odds_;
  StepCosts costs_;
};

}  // namespace lmc
