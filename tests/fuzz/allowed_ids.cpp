// The file of --allowed-ids: token ids and ranges.
#include "tools/generate/allowed_ids.h"

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  constexpr int64_t kVocab = 1000;
  try {
    const IdSet ids = allowed_ids_in(fuzz::text(data, size), "ids.txt", kVocab);
    fuzz::require(ids.size() > 0 && ids.size() <= kVocab, "no ids, or ids beyond the vocabulary");
    // Written out one by one they are the same.
    std::string all;
    for (int64_t id = 0; id < kVocab; ++id) all += ids.contains(id) ? std::to_string(id) + "\n" : "";
    const IdSet again = allowed_ids_in(all, "ids.txt", kVocab);
    for (int64_t id = 0; id < kVocab; ++id)
      fuzz::require(again.contains(id) == ids.contains(id), "other ids when written one by one");
    fuzz::accepted = true;
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
