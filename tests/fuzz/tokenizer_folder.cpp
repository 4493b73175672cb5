// tokenizer_config.json and, behind a zero byte, chat_template.jinja, beside a SentencePiece model: which
// tokens stand at the ends, which template of several it is.
#include <filesystem>
#include <fstream>

#include "fuzz.h"
#include "ir/error.h"
#include "models/chat/template.h"
#include "models/tokenizer/tokenizer.h"
#include "tools/system/child.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  namespace fs = std::filesystem;
  static const TemporaryFolder folder;
  const std::string own = folder.path() + "/chat_template.jinja", model = folder.path() + "/tokenizer.model";
  if (!fs::exists(model)) fs::copy_file(LMC_SOURCE_DIR "/tests/data/tokenizers/sp-bpe.model", model);
  const std::vector<std::string> parts = fuzz::parts(data, size);
  std::ofstream(folder.path() + "/tokenizer_config.json", std::ios::binary) << parts[0];
  fs::remove(own);
  if (parts.size() > 1) std::ofstream(own, std::ios::binary) << parts[1];
  try {
    Tokenizer::open(folder.path()).encode("Hello", true);
  } catch (const Error&) {
  }
  try {
    const auto text = find_chat_template(folder.path());
    fuzz::accepted = text.has_value();
    if (text) ChatTemplate(*text).render({{"user", "Hi"}}, true);
  } catch (const Error&) {
  }
  return 0;
}
