// Guesses and stop strings, on what a user may give a model to say: ids and pieces of text.
#include "runtime/draft.h"

#include <algorithm>

#include "fuzz.h"
#include "ir/error.h"
#include "tools/generate/stop_strings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  if (size == 0) return 0;
  // Requests, cut where a byte is 255, with tokens chosen behind every one's first half.
  const size_t most = data[0];
  Drafter drafter(most, data[0] % 2 == 0 ? most : 0);
  DraftText long_text(drafter);
  const std::vector<int32_t> all(data + 1, data + size);
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end = std::find(begin + 1, all.end(), 255);
    const auto half = begin + (end - begin) / 2;
    // Each beside one that never ends.
    DraftText text(drafter);
    for (auto token = begin; token != half; ++token) text.read(*token);
    for (auto token = half; token != end; ++token) {
      const Drafter::Asker askers[] = {{&text, 20}, {&long_text, 20}};
      const auto guesses = drafter.guess(askers, 2, 30);
      fuzz::require(guesses[0].size() + guesses[1].size() <= 30, "more is guessed than there is room for");
      const std::vector<int32_t>& guess = guesses[0];
      fuzz::require(guess.size() <= std::min<size_t>(most, 20), "more is guessed than was asked for");
      for (const int32_t id : guess)
        fuzz::require(std::find(all.begin(), end, id) != end, "a guess that was never seen");
      const size_t guessed = guess.size() + guesses[1].size();
      drafter.took(2 + guessed, guessed, 1 + 0.1 * static_cast<double>(guessed));
      text.add(*token);
      long_text.add(*token);
    }
    begin = end;
  }

  // Stop strings, then pieces: cut as they come, and all at once.
  const std::vector<std::string> parts = fuzz::parts(data, size);
  const size_t stops = std::min<size_t>(parts.size(), 1 + data[0] % 4);
  try {
    StopStrings cut({parts.begin(), parts.begin() + static_cast<ptrdiff_t>(stops)}), whole = cut;
    std::string all, shown;
    for (size_t i = stops; i < parts.size(); ++i) {
      all += parts[i];
      shown += cut.push(parts[i]);
    }
    shown += cut.flush();
    std::string at_once = whole.push(all);
    at_once += whole.flush();
    fuzz::require(cut.matched() == whole.matched() && (shown == at_once || cut.matched()),
                  "pieces stop otherwise than the whole");
  } catch (const Error&) {
  }
  return 0;
}
