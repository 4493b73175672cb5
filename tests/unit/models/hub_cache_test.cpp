// The hub cache as huggingface_hub lays it out: which folder it is, and what a revision leads to.
#include "models/checkpoint/hub_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "ir/error.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

class HubCache : public testing::Test {
 protected:
  void SetUp() override {
    root_ = temporary("hub");
    fs::remove_all(root_);
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      before_[name] = value ? value : "";
      ::unsetenv(name);
    }
    set("HF_HUB_CACHE", root_);
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) set(name, value);
    fs::remove_all(root_);
  }
  static void set(const std::string& name, const std::string& value) {
    value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }
  fs::path repository() const { return root_ / "models--some-org--model-1.5"; }
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  // A file of the snapshot as the hub's library stores it: a link to a blob.
  void add(const std::string& name, const std::string& text) const {
    const std::string hash = "blob-of-" + name;
    write(repository() / "blobs" / hash, text);
    fs::create_directories(snapshot());
    fs::create_symlink(fs::path("../../blobs") / hash, snapshot() / name);
  }
  fs::path snapshot() const { return repository() / "snapshots" / kCommit; }
  static std::string error_of(const std::string& id) {
    try {
      return "no error, but " + hub_snapshot(*parse_hub_id(id));
    } catch (const Error& e) {
      return e.what();
    }
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

  fs::path root_;

 private:
  std::map<std::string, std::string> before_;
};

TEST_F(HubCache, IsWhereTheVariablesSayInTheirOrder) {
  EXPECT_EQ(hub_cache_folder(), root_);
  set("HF_HUB_CACHE", "");
  EXPECT_THROW(hub_cache_folder(), Error);
  set("HOME", "/home/ann");
  EXPECT_EQ(hub_cache_folder(), "/home/ann/.cache/huggingface/hub");
  set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(hub_cache_folder(), "/xdg/huggingface/hub");
  set("HF_HOME", "~/hf");
  EXPECT_EQ(hub_cache_folder(), "/home/ann/hf/hub");
  EXPECT_EQ(hub_home(), "/home/ann/hf");
  set("HF_HUB_CACHE", "~/elsewhere");
  EXPECT_EQ(hub_cache_folder(), "/home/ann/elsewhere");
}

TEST_F(HubCache, TellsIdsFromPaths) {
  const auto id = parse_hub_id("some-org/model-1.5@refs/pr/1");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->repository(), "some-org/model-1.5");
  EXPECT_EQ(id->revision, "refs/pr/1");
  EXPECT_EQ(id->pull_command(), "lmc pull some-org/model-1.5 --revision refs/pr/1");
  EXPECT_EQ(parse_hub_id("a/b")->revision, "main");
  for (const char* text : {"",       "/",      "a/",       "/b",       "a",       "a/b/c", "../b",
                           "a/..",   "./b",    "a/b.yaml", "a/b.gguf", "a b/c",   "a/b@",  "a/b@../x",
                           "a/b@/x", "a/b@x/", "a/b@x//y", "a--b/c",   "a/b@x y", "a@x/b"}) {
    EXPECT_FALSE(parse_hub_id(text)) << text;
  }
}

TEST_F(HubCache, FollowsARevisionToItsSnapshotAndACommitToItself) {
  add("config.json", "{}");
  add("model.safetensors", "");
  write(repository() / "refs/main", kCommit);
  write(repository() / "refs/refs/pr/1", kCommit + "\n");
  EXPECT_EQ(hub_snapshot(*parse_hub_id("some-org/model-1.5")), snapshot());
  EXPECT_EQ(hub_snapshot(*parse_hub_id("some-org/model-1.5@refs/pr/1")), snapshot());
  EXPECT_EQ(hub_snapshot(*parse_hub_id("some-org/model-1.5@" + kCommit)), snapshot());
  EXPECT_EQ(local_checkpoint("some-org/model-1.5"), snapshot());
  EXPECT_EQ(local_checkpoint(snapshot()), snapshot());
  EXPECT_EQ(local_checkpoint("not-an-id"), "not-an-id");
}

TEST_F(HubCache, NamesTheCommandThatFetchesWhatIsMissing) {
  EXPECT_EQ(error_of("some-org/model-1.5"), "some-org/model-1.5 is not in the hub cache (" + root_.string() +
                                                "); fetch it with: lmc pull some-org/model-1.5");
  const std::string other = std::string(39, '0') + "1";
  EXPECT_TRUE(has(error_of("a/b@" + other), "lmc pull a/b --revision " + other));
  // A reference to a snapshot that is not there yet: refs may come before files.
  write(repository() / "refs/main", kCommit);
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "lacks config.json; fetch what is missing with: lmc pull"));
  write(repository() / "refs/main", "../../../../etc");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "refs/main: holds no commit"));
}

TEST_F(HubCache, MissesFilesWhoseBlobIsGoneAndShardsThatTheIndexNames) {
  write(repository() / "refs/main", kCommit);
  add("config.json", "{}");
  EXPECT_TRUE(
      has(error_of("some-org/model-1.5"), "lacks model.safetensors, and model.safetensors.index.json"));
  add("model.safetensors.index.json", R"({"weight_map": {"x": "b.safetensors", "y": "a.safetensors"}})");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "lacks a.safetensors and 1 more, which its index names"));
  add("a.safetensors", "");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "lacks b.safetensors, which its index names"));
  add("b.safetensors", "");
  EXPECT_EQ(hub_snapshot(*parse_hub_id("some-org/model-1.5")), snapshot());
  fs::remove(repository() / "blobs/blob-of-a.safetensors");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "lacks a.safetensors"));
  write(repository() / "blobs/blob-of-model.safetensors.index.json", R"({"weight_map": {"x": "../b"}})");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "shard '../b' lies outside the folder"));
  write(repository() / "blobs/blob-of-model.safetensors.index.json", "{");
  EXPECT_TRUE(has(error_of("some-org/model-1.5"), "model.safetensors.index.json:1:"));
}

}  // namespace
}  // namespace lmc
