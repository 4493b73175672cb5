// The file of `lmc run --batch`: a prompt a line, or a JSON object a line.
#include "tools/generate/batch_file.h"

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  for (const char* name : {"prompts.txt", "prompts.jsonl", "-"}) {
    try {
      const auto lines = prompts_in(std::string(fuzz::text(data, size)), name);
      fuzz::require(!lines.empty(), "no prompts");
      for (const BatchLine& l : lines)
        fuzz::require(l.prompt.empty() != l.error.empty(), "neither a prompt nor an error, or both");
      fuzz::accepted = true;
    } catch (const Error& e) {
      fuzz::require(*e.what() != 0, "an error without a message");
    }
  }
  return 0;
}
