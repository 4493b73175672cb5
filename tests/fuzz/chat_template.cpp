// Chat templates: read, and rendered with a short conversation.
#include "fuzz.h"
#include "ir/error.h"
#include "models/chat/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  try {
    const ChatTemplate t({std::string(fuzz::text(data, size)), "<s>", "</s>", "template"});
    for (const bool answer_next : {false, true}) {
      const std::vector<ChatMessage> talk = {
          {"system", "Be brief."}, {"user", " Hi \"you\" "}, {"assistant", "Hé"}, {"user", "Why?"}};
      const std::string text = t.render(talk, answer_next);
      // strftime_now may see another second: compare lengths only.
      fuzz::require(t.render(talk, answer_next).size() == text.size(), "two renderings differ");
    }
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
