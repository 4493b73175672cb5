// How many tokens of prompts a step takes beside those of the texts in the making, so that these never slow
// below a bound. Learns from steps as they are timed: what a step costs without prompts, for each number of
// texts, and what a prompt's token costs beside it, which grows with its depth, so that the latest figure
// counts.
#pragma once

#include <cstdint>
#include <vector>

namespace lmc {

class PrefillShare {
 public:
  // `share` of a step's time may go to prompts: BatcherOptions::prefill_share.
  PrefillShare(double share, int64_t most_texts);

  // Of at most `room` > 0, beside `texts` texts. 0: first a step without prompts, to know what it costs.
  int64_t tokens(int64_t texts, int64_t room);
  // A step of so many took so long.
  void took(int64_t texts, int64_t prompt_tokens, double seconds);

 private:
  struct Quiet {  // a step without prompts
    double seconds = 0;
    int64_t count = 0, when = 0;
  };
  const Quiet* figure(int64_t texts) const;

  double share_;
  std::vector<Quiet> quiet_;      // by texts
  double token_seconds_ = -1;     // of one more token of a prompt; < 0: not known
  bool rough_ = false;            // of a step as a whole, its reading of weights included
  int64_t asked_ = 0, last_ = 0;  // tokens: said last beside texts, and timed last
  int64_t steps_ = 0, last_quiet_ = 0;
};

}  // namespace lmc
