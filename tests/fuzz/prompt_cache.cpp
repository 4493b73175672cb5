// A file of a prompt cache, read into a session of a small plan. Its three hashes are put right where the
// input asks for it, by a first byte that is odd: without that no mutation would get past them.
#include "tools/generate/prompt_cache.h"

#include <filesystem>
#include <fstream>

#include "ir/error.h"
#include "stub_session.h"
#include "tools/system/child.h"
#include "tools/system/files.h"

namespace {

using namespace lmc;

const std::string kModel(64, 'a');
constexpr size_t kHeader = 96, kHash = 64;

void put_hash(std::string& file, size_t at) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(file).first(at)));
  file.replace(at, kHash, hash.hex());
}

// magic[16], model[64], tokens, bytes; tokens; hash; caches; hash.
std::string with_right_hashes(std::string file) {
  if (file.size() < kHeader + 2 * kHash) return file;
  file.replace(16, kHash, kModel);
  uint64_t tokens = 0;
  std::memcpy(&tokens, file.data() + 80, 8);
  const uint64_t rest = file.size() - kHeader - 2 * kHash;
  if (tokens > rest / 4) return file;
  const uint64_t bytes = rest - tokens * 4;
  std::memcpy(file.data() + 88, &bytes, 8);
  put_hash(file, kHeader + tokens * 4);
  put_hash(file, file.size() - kHash);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Two layers that look back on all, and one with a window.
  static const Plan plan = fuzz::stub_plan(48, {48, 48, 16});
  static const std::unique_ptr<Session> session = fuzz::stub_session(plan, {});
  static const TemporaryFolder folder;
  if (size == 0) return 0;
  const std::string rest(fuzz::text(data + 1, size - 1));
  const std::string path = folder.path() + "/prompt.kv";
  std::ofstream(path, std::ios::binary) << (data[0] % 2 == 1 ? with_right_hashes(rest) : rest);
  const std::vector<int32_t> prompt = {1, 2, 3, 4, 5, 6, 7, 8};
  for (const std::string& given : {path, folder.path()}) {
    try {
      PromptCache cache(given, kModel);
      const int64_t known = cache.load(*session, prompt);
      fuzz::accepted |= known > 0;
      fuzz::require(known >= 0 && known < static_cast<int64_t>(prompt.size()) && known == session->position(),
                    "more is known of a prompt than it has");
      session->forward(std::span(prompt).subspan(static_cast<size_t>(known)), Rows::none, {});
    } catch (const Error& e) {
      fuzz::require(*e.what() != 0, "an error without a message");
    }
  }
  return 0;
}
