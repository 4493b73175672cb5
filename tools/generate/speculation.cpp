#include "tools/generate/speculation.h"

#include <fmt/format.h>

namespace lmc {

void SpeculationFlags::add_to(Flags& flags) {
  flags
      .option(
          "--speculate", speculate,
          "lookup: guess that what followed the same words before follows again, and verify it at once; "
          "self: "
          "where no words come again, guess by half of each weight (lmc compile --self-draft), one text at a "
          "time; the tokens stay the same")
      .one_of({"none", "lookup", "self"})
      .shows_default();
  flags
      .option("--draft,--draft-max", draft,
              "with --speculate: most tokens guessed at once; how many pays is measured")
      .range(1, 4096)
      .shows_default();
  flags
      .option("--draft-min", least_draft,
              "with --speculate: guess so many at least wherever there is anything to guess from")
      .range(0, 4096)
      .shows_default();
}

void SpeculationFlags::check() const {
  if (least_draft > draft)
    throw UsageError(fmt::format("--draft-min {} is more than --draft {}, the most", least_draft, draft));
}

void SpeculationFlags::check_several(const std::string& what) const {
  if (by_model())
    throw UsageError("--speculate self guesses for one text at a time: leave it out with " + what);
}

Drafter* SpeculationFlags::drafter(Engine& engine) const {
  if (speculate == "none") return nullptr;
  return &engine.drafter(static_cast<size_t>(draft), static_cast<size_t>(least_draft), by_model());
}

std::string acceptance_text(int64_t drafted, int64_t accepted) {
  if (drafted == 0) return "";
  return fmt::format("{} of {} guessed tokens accepted ({:.0f}%)", accepted, drafted,
                     100.0 * static_cast<double>(accepted) / static_cast<double>(drafted));
}

}  // namespace lmc
