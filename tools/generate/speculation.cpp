#include "tools/generate/speculation.h"

#include <fmt/format.h>

namespace lmc {

void SpeculationFlags::add_to(Flags& flags) {
  flags
      .option(
          "--speculate", speculate,
          "lookup: guess that what followed the same words before follows again, and verify it at once; the "
          "tokens stay the same")
      .one_of({"none", "lookup"})
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

Drafter* SpeculationFlags::drafter(Engine& engine) const {
  if (speculate != "lookup") return nullptr;
  return &engine.drafter(static_cast<size_t>(draft), static_cast<size_t>(least_draft));
}

std::string acceptance_text(int64_t drafted, int64_t accepted) {
  if (drafted == 0) return "";
  return fmt::format("{} of {} guessed tokens accepted ({:.0f}%)", accepted, drafted,
                     100.0 * static_cast<double>(accepted) / static_cast<double>(drafted));
}

}  // namespace lmc
