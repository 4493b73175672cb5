// A server's prompts in a folder, with the model that tests of the runtime use.
#include "tools/generate/page_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "../runtime/toy_model.h"
#include "ir/cache_layout.h"
#include "runtime/generate.h"
#include "runtime/serving/kv_pages.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;
using test::some_tokens;
using test::ToyModel;
using Ids = std::vector<int32_t>;

class PageStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = temporary(testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& f : fs::directory_iterator(folder_)) out.push_back(f.path());
    std::sort(out.begin(), out.end());
    return out;
  }

  // A server's life: what is stored is loaded, prompts are answered, what is kept is stored. How many tokens
  // of each were reused; the answers are those of generate().
  std::vector<int64_t> serve(const ToyModel& model, const std::vector<Ids>& prompts,
                             int64_t kv_bytes = 1 << 22, char name = 'a') {
    const auto session = model.session();
    Batcher batcher(*session, {.slots = 1, .kv_bytes = kv_bytes});
    const PageStore store(folder_, std::string(64, name));
    loaded_ = store.load(batcher);
    std::vector<int64_t> out;
    size_t ended = 0;
    for (const Ids& prompt : prompts) {
      AnswerRequest request{.prompt = prompt, .options = {.max_tokens = 5}};
      request.on_prompt = [&](int64_t reused) { out.push_back(reused); };
      request.on_end = [&, prompt](const Generated& g, const std::string& error) {
        EXPECT_EQ(error, "");
        EXPECT_EQ(g.ids, generate(*model.session(), prompt, {.max_tokens = 5}).ids);
        if (++ended == prompts.size()) batcher.stop(std::chrono::milliseconds(0));
      };
      batcher.submit(std::move(request));
    }
    if (prompts.empty()) batcher.stop(std::chrono::milliseconds(0));
    batcher.run();
    store.save(batcher);
    return out;
  }

  ToyModel model_{100, 500, 16, 16};
  std::string folder_;
  int64_t loaded_ = 0;
};

using Reused = std::vector<int64_t>;

TEST_F(PageStoreTest, PromptsSurviveARestart) {
  Ids other = some_tokens(300);
  other[150] = 49 - other[150];
  EXPECT_EQ(serve(model_, {some_tokens(300), other}), (Reused{0, 128}));
  EXPECT_EQ(loaded_, 0);
  EXPECT_EQ(files().size(), 6u) << "of 4 pages each, 2 are the same";
  EXPECT_EQ(serve(model_, {other, some_tokens(300), some_tokens(200)}), (Reused{256, 256, 192}));
  EXPECT_EQ(loaded_, 6);
  EXPECT_EQ(files().size(), 6u);
  EXPECT_EQ(serve(model_, {other}, 1 << 22, 'b'), (Reused{0})) << "another model's";
  EXPECT_EQ(files().size(), 10u);
}

TEST_F(PageStoreTest, OtherRopeFactorsAreOthersPrompts) {
  const ToyModel long_rope(500, 500, 16, 16, 150);
  EXPECT_EQ(serve(long_rope, {some_tokens(140), some_tokens(200)}), (Reused{0, 0}));
  EXPECT_EQ(serve(long_rope, {some_tokens(140), some_tokens(200)}), (Reused{128, 192}));
  EXPECT_EQ(files().size(), 2u + 3u);
}

TEST_F(PageStoreTest, TheFolderTakesNoMoreThanTheMemory) {
  const KvPages pages(model_.plan);
  const int64_t room = pages.bytes(500) + 3 * pages.page_bytes();
  for (int32_t i = 0; i < 8; ++i) serve(model_, {Ids(200, i)}, room);
  int64_t bytes = 0;
  for (const std::string& f : files()) bytes += static_cast<int64_t>(fs::file_size(f));
  EXPECT_LE(bytes, room);
  EXPECT_EQ(serve(model_, {Ids(200, 7)}, room), (Reused{192})) << "the last used is there";
}

// Cut off, changed anywhere, renamed, of another plan: passed over, and what is behind it too.
TEST_F(PageStoreTest, DamageIsPassedOver) {
  serve(model_, {some_tokens(300)});
  const auto all = files();
  ASSERT_EQ(all.size(), 4u);
  for (const std::string& path : all) {
    const std::string whole = read_file(path);
    for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      for (const std::string& bytes : {changed, whole.substr(0, at), whole + "x"}) {
        write_file(path, bytes);
        const auto session = model_.session();
        Batcher batcher(*session, {.slots = 1, .kv_bytes = 1 << 22});
        EXPECT_LT(PageStore(folder_, std::string(64, 'a')).load(batcher), 4) << path << ", byte " << at;
      }
    }
    write_file(path, whole);
  }
  fs::copy(all[0], folder_ + "/aaaaaaaaaaaaaaaa-0.page");
  serve(model_, {});
  EXPECT_EQ(loaded_, 4) << "under another name it is nothing";
  EXPECT_EQ(serve(ToyModel(500, 500, 16, 16), {some_tokens(10)}), (Reused{0}));
  EXPECT_NE(test::message([&] { PageStore(folder_ + "/none", std::string(64, 'a')); }).find("no such folder"),
            std::string::npos);
}

}  // namespace
}  // namespace lmc
