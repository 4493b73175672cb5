// Chat templates: read, and rendered. Behind a zero byte each: the text of bos_token and eos_token, and the
// messages, a role and a content in turn; without any, a short conversation.
#include "fuzz.h"
#include "ir/error.h"
#include "models/chat/template.h"

namespace {

using namespace lmc;

std::vector<ChatMessage> messages_in(const std::vector<std::string>& parts) {
  if (parts.size() < 5)
    return {{"system", "Be brief."}, {"user", " Hi \"you\" "}, {"assistant", "Hé"}, {"user", "Why?"}};
  std::vector<ChatMessage> out;
  for (size_t i = 3; i + 1 < parts.size(); i += 2) out.push_back({parts[i], parts[i + 1]});
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> parts = fuzz::parts(data, size);
  const std::vector<ChatMessage> talk = messages_in(parts);
  try {
    const ChatTemplate t(
        {parts[0], parts.size() > 1 ? parts[1] : "<s>", parts.size() > 2 ? parts[2] : "</s>", "template"});
    for (const bool answer_next : {false, true}) {
      const std::string text = t.render(talk, answer_next);
      // strftime_now may see another second: compare lengths only.
      fuzz::require(t.render(talk, answer_next).size() == text.size(), "two renderings differ");
    }
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
