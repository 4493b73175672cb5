// What a server kept of prompts: files of pages, as they should be or with bytes changed, hashes put right or
// not, read into a batcher. What is kept serves a prompt, and is stored again.
#include "tools/generate/page_store.h"

#include <filesystem>
#include <fstream>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "ir/files.h"
#include "runtime/serving/kv_pages.h"
#include "stub_session.h"
#include "tools/generate/kv_file.h"
#include "tools/system/child.h"

namespace {

using namespace lmc;
namespace fs = std::filesystem;

constexpr size_t kHeader = 96, kPage = kCachePage;
constexpr int64_t kContext = 256, kMostPages = 6;

// Two layers that look back on all, and one with a window of a page.
const Plan& plan() {
  static const Plan out = fuzz::stub_plan(kContext, {kContext, kContext, kCachePage});
  return out;
}

const std::string kModel(64, 'a');

std::string hash(std::string_view bytes) { return hash_of({std::as_bytes(std::span(bytes))}); }

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A page behind `origin`: 64 tokens, so many bytes of caches. Then some of the file's bytes are changed, and
// hashes and name put right if the input asks for it. Returns its name, which is what the next is behind.
std::string write_page(fuzz::Bytes& input, const std::string& folder, const std::string& origin) {
  const auto kind = input.take<uint8_t>();
  std::vector<int32_t> tokens(kind & 1 ? input.take<uint16_t>() % 200 : kPage);
  const auto token = input.take<uint8_t>();
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>((token + i) % 11);
  const KvPages pages(plan());
  int64_t bytes = kind & 2 ? pages.page_bytes() : pages.lasting_bytes();
  if (kind & 4) bytes = input.take<uint16_t>();
  const std::vector<std::byte> held(static_cast<size_t>(bytes), std::byte{token});
  const std::span<const std::byte> parts[] = {held};
  const std::string path = folder + "/new";
  KvFile::write(path, "lmc prompt pg 1\n", origin, tokens, parts);
  std::string file = contents(path);
  for (int changes = kind >> 6; changes > 0; --changes)
    file[input.take<uint16_t>() % file.size()] = input.take<char>();
  const size_t head = std::min(kHeader + tokens.size() * 4, file.size() - 128);
  if (kind & 8) file.replace(head, 64, hash(file.substr(0, head)));
  if (kind & 8) file.replace(file.size() - 64, 64, hash(file.substr(0, file.size() - 64)));
  if (kind & 16) file.resize(input.take<uint16_t>() % (file.size() + 1));
  const std::string name =
      hash(file.size() < head ? origin : file.substr(16, 64) + file.substr(kHeader, head - kHeader));
  std::ofstream(path, std::ios::binary) << file;
  fs::rename(path, folder + "/" + kModel.substr(0, 16) + "-" + name + ".page");
  return name;
}

// The first part of a prompt that begins as the pages of the input might.
void answer(Batcher& batcher, fuzz::Bytes& input) {
  AnswerRequest request;
  const auto token = input.take<uint8_t>();
  for (size_t i = 0; i < kPage * 2 + 9; ++i)
    request.prompt.push_back(static_cast<int32_t>((token + i % kPage) % 11));
  request.options.max_tokens = 1;
  request.on_prompt = [&](int64_t reused) {
    fuzz::require(reused >= 0 && reused % kCachePage == 0 && reused < static_cast<int64_t>(kPage * 2 + 9),
                  "what was reused is no whole pages of the prompt");
    fuzz::accepted |= reused > 0;
  };
  request.on_end = [&](const Generated&, const std::string& error) {
    fuzz::require(error.empty(), "a prompt failed");
    batcher.stop(std::chrono::milliseconds(0));
  };
  batcher.submit(std::move(request));
  batcher.run();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<Session> session = fuzz::stub_session(plan(), {});
  const TemporaryFolder folder;
  fuzz::Bytes input(data, size);
  const PageStore store(folder.path(), kModel);
  const bool beyond = input.take<uint8_t>() % 2 == 1;
  const std::string root = hash(kModel + (beyond ? "beyond" : "within"));
  std::string origin = root;
  for (int64_t i = 0; i < kMostPages && input.left() > 1; ++i)
    origin = write_page(input, folder.path(), input.take<uint8_t>() % 4 == 0 ? root : origin);
  try {
    Batcher batcher(*session, {.slots = 1, .kv_bytes = 1 << 20});
    const int64_t kept = store.load(batcher);
    int64_t found = 0;
    batcher.for_each_kept([&](const Batcher::KeptPage& page) {
      ++found;
      fuzz::require(page.tokens.size() % kPage == 0, "a text of less than pages is kept");
    });
    fuzz::require(kept == found && kept <= kMostPages, "more is kept than was stored");
    answer(batcher, input);
    store.save(batcher);
    Batcher again(*session, {.slots = 1, .kv_bytes = 1 << 20});
    fuzz::require(store.load(again) >= kept, "what was stored is not found again");
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
