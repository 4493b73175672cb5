// Guesses at what comes next, for speculative decoding: a guess costs one more row of a step that is made
// anyway, and is kept only where the model says the same. A guess is what followed the longest ending of the
// text when it occurred before, in it or in another request; how much is guessed follows from how often such
// guesses were right and from what the rows cost.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/repeat_index.h"
#include "runtime/self_draft.h"
#include "runtime/step_costs.h"

namespace lmc {

// How often the token that is guessed is right, by the length of the ending that occurred before. Every token
// that comes is held against what would have been guessed, guessed or not, so learning costs nothing.
class GuessOdds {
 public:
  GuessOdds();
  // Odds as these are, of which the next tokens may soon say otherwise.
  GuessOdds beginning() const;
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

class DraftText;

// For all requests of a process; of one thread.
class Drafter {
 public:
  // Guesses 0 … `most` tokens of a text, and where anything is to be guessed from at least `least` (or as
  // many as there is room for), whatever it costs. `by_model`: where nothing is found, whoever makes a text
  // alone asks the model's own draft.
  explicit Drafter(size_t most, size_t least = 0, bool by_model = false);
  Drafter(const Drafter&) = delete;
  Drafter& operator=(const Drafter&) = delete;

  struct Asker {
    const DraftText* text;
    size_t room;  // tokens that may be guessed of it
  };
  // What may follow each text in a step that has `rows` rows anyway, one of each text among them, and room
  // for `room` more: the tokens that make most of the step's time.
  std::vector<std::vector<int32_t>> guess(std::span<const Asker> texts, size_t rows, size_t room) const;
  // How many tokens of a text, 0 … room, the model's own draft shall guess, since nothing else can.
  size_t by_model(size_t room) const;
  // That many took so long, and so many of them were right; 0: none was asked for where one might have been.
  void model_guessed(size_t guesses, size_t right, double seconds);
  // A step of so many rows, of which so many were guesses, took so long.
  void took(size_t rows, size_t guesses, double seconds) { costs_.add(rows, guesses == 0, seconds); }
  // What that step would have taken without its guesses, as a share.
  double share_without(size_t rows, size_t guesses) const { return 1 / costs_.of(rows, rows - guesses); }

 private:
  friend class DraftText;

  size_t most_, least_;
  bool by_model_;
  RepeatIndex index_;
  GuessOdds odds_;  // of all texts
  StepCosts costs_;
  SelfDraft self_;
};

// A text as the drafter knows it, for as long as it grows.
class DraftText {
 public:
  explicit DraftText(Drafter& drafter);
  ~DraftText();
  DraftText(const DraftText&) = delete;
  DraftText& operator=(const DraftText&) = delete;

  // A token of the prompt came next, or one that was chosen.
  void read(int32_t token);
  void add(int32_t token);

 private:
  friend class Drafter;
  std::vector<int32_t> guess(size_t most) const;

  Drafter& drafter_;
  const RepeatIndex::TextId id_;
  GuessOdds odds_;
};

}  // namespace lmc
