// Prompt lookup and stop strings, on what a user may give a model to say: ids and pieces of text.
#include "runtime/draft.h"

#include "fuzz.h"
#include "ir/error.h"
#include "tools/generate/stop_strings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  if (size == 0) return 0;
  const size_t most = data[0];
  const std::vector<int32_t> sequence(data + 1, data + size);
  const std::vector<int32_t> guess = draft_by_lookup(sequence, most);
  fuzz::require(guess.size() <= most, "more is guessed than was asked for");
  fuzz::require(std::search(sequence.begin(), sequence.end(), guess.begin(), guess.end()) != sequence.end() ||
                    guess.empty(),
                "a guess that the sequence does not hold");

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
