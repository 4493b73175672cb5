// A machine's figures, as LMC_MACHINE names them: what is accepted is positive, and reads back.
#include "fuzz.h"
#include "ir/error.h"
#include "tools/machine/figures_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  try {
    const KeptFigures kept = machine_from_json(std::string(fuzz::text(data, size)));
    fuzz::require(kept.figures.threads >= 1 && kept.figures.read_all > 0,
                  "figures that are no positive numbers");
    fuzz::accepted = true;
    const std::string text = machine_to_json(kept);
    fuzz::require(machine_to_json(machine_from_json(text)) == text, "the figures do not round-trip");
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
