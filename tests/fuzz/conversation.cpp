// The file of a conversation: what is read can be written and read again, and every template of tests/data
// renders it or refuses it.
#include <filesystem>

#include "fuzz.h"
#include "ir/error.h"
#include "ir/files.h"
#include "tools/generate/conversation_file.h"

namespace {

using namespace lmc;

const std::vector<ChatTemplate>& templates() {
  static const std::vector<ChatTemplate> all = [] {
    std::vector<ChatTemplate> out;
    for (const auto& entry : std::filesystem::directory_iterator(LMC_SOURCE_DIR "/models/chat/templates")) {
      if (entry.path().extension() == ".jinja")
        out.emplace_back(ChatTemplateText{read_file(entry.path()), "<s>", "</s>", entry.path().filename()});
    }
    return out;
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file(fuzz::text(data, size));
  std::vector<ChatMessage> messages;
  try {
    messages = read_conversation(file.path());
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
    return 0;
  }
  fuzz::accepted = true;
  const std::string text = conversation_text(messages);
  const fuzz::MemoryFile again(text);
  fuzz::require(conversation_text(read_conversation(again.path())) == text,
                "the conversation does not round-trip");
  for (const ChatTemplate& t : templates()) {
    try {
      t.render(messages, true);
    } catch (const Error&) {
    }
  }
  return 0;
}
