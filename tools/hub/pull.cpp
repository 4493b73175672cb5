#include "tools/hub/pull.h"

#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "models/checkpoint/shard_index.h"
#include "tools/cli/console.h"
#include "tools/hub/download.h"
#include "tools/hub/store.h"
#include "tools/hub/workers.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

const std::string kSingle = "model.safetensors", kIndex = "model.safetensors.index.json";

// What says how the model works: small files at the top of the repository.
bool is_description(const std::string& name) {
  if (name.find('/') != name.npos) return false;
  for (const char* wanted :
       {"config.json", "generation_config.json", "chat_template.jinja", "tokenizer.json", "tokenizer.model",
        "tokenizer_config.json", "spiece.model", "sentencepiece.bpe.model", "special_tokens_map.json"}) {
    if (name == wanted) return true;
  }
  return false;
}

class Puller {
 public:
  Puller(const HubId& id, const PullOptions& options)
      : options_(options),
        cache_(fs::absolute(hub_cache_folder()).lexically_normal().string()),
        repository_(cache_, id),
        hub_(
            hub_access(), id,
            {{.times = options.retries, .gets_on = 1, .cancelled = cancel_.asked}, options.timeout_seconds}) {
  }

  Pulled run() {
    HttpClient client;
    model_ = hub_.model(client);
    const std::string folder = repository_.snapshot(model_.commit);
    result_.folder = folder;
    if (wants_gguf()) {
      fetch(gguf_files());
    } else {
      fetch(first_files());
      if (!model_.find(kSingle)) fetch(shards_of_index(folder + "/" + kIndex));
    }
    // A commit names its snapshot itself.
    if (const std::string& revision = hub_.id().revision; revision != model_.commit)
      write_whole(repository_.ref(revision), model_.commit);
    return result_;
  }

 private:
  bool wants_gguf() const {
    if (!options_.file.empty()) return true;
    const bool any = std::any_of(model_.files.begin(), model_.files.end(),
                                 [](const RemoteFile& f) { return is_gguf_to_name(f.name); });
    return any && !model_.find(kSingle) && !model_.find(kIndex);
  }

  // Those that --file asks for, or the only one, with all their parts.
  std::vector<std::string> gguf_files() {
    const std::string who = hub_.id().repository();
    std::string known;
    for (const RemoteFile& f : model_.files) {
      if (!is_gguf_to_name(f.name)) continue;
      known += (known.empty() ? "" : ", ") + f.name;
      if (is_asked_for(f.name)) result_.gguf.push_back(f.name);
    }
    if (known.empty()) throw Error(who + ": has no GGUF files");
    if (result_.gguf.empty()) throw UsageError("--file " + options_.file + ": fits none of " + known);
    if (options_.file.empty() && result_.gguf.size() > 1)
      throw UsageError(who + ": has several GGUF files; choose with --file: " + known);
    std::vector<std::string> out;
    for (const RemoteFile& f : model_.files) {
      const auto [start, end] = gguf_part_name(f.name);
      const std::string first = start.empty() ? f.name : start + "00001" + end;
      if (std::find(result_.gguf.begin(), result_.gguf.end(), first) != result_.gguf.end())
        out.push_back(f.name);
    }
    return out;
  }

  bool is_asked_for(const std::string& name) const {
    const std::string& wanted = options_.file;
    return wanted.empty() || name.find(wanted) != name.npos ||
           ::fnmatch(wanted.c_str(), name.c_str(), FNM_CASEFOLD) == 0;
  }

  // The description, and the weights if one file has them; else the index that names their files.
  std::vector<std::string> first_files() const {
    const std::string who = hub_.id().repository();
    if (!model_.find("config.json"))
      throw Error(who + ": has no config.json, so it is no model that lmc can read");
    const std::string weights = model_.find(kSingle) ? kSingle : kIndex;
    if (!model_.find(weights))
      throw Error(who + ": has no " + kSingle + " and no " + kIndex +
                  "; lmc reads no other weights of the hub");
    std::vector<std::string> out = {weights};
    for (const RemoteFile& f : model_.files) {
      if (is_description(f.name)) out.push_back(f.name);
    }
    return out;
  }

  std::string blob(const RemoteFile& file) const { return repository_.blob(file.hash); }

  void fetch(const std::vector<std::string>& names) {
    std::vector<RemoteFile> files;
    for (const std::string& name : names) {
      const RemoteFile* f = model_.find(name);
      if (!f)
        throw Error(hub_.id().repository() + ": " + kIndex + " names " + name +
                    ", which the hub does not have");
      files.push_back(*f);
    }
    run_workers(
        files.size(), options_.parallel, cancel_,
        [&](HttpClient& client, size_t i) { hub_.describe(client, model_.commit, files[i]); }, [] {});
    int64_t total = 0, there = 0;
    for (const RemoteFile& f : files) {
      total += f.size;
      there += bytes_there(blob(f), f);
    }
    make_folders(repository_.folder + "/blobs");
    make_folders(lock_folder());
    check_space(total - there);
    // The largest first, so that the last thread does not start with it.
    std::sort(files.begin(), files.end(),
              [](const RemoteFile& a, const RemoteFile& b) { return a.size > b.size; });
    std::atomic<int64_t> done{there};  // for the bar alone
    Progress progress("fetching " + human_bytes(static_cast<double>(total)));
    run_workers(
        files.size(), options_.parallel, cancel_,
        [&](HttpClient& client, size_t i) { fetch_one(client, files[i], done); },
        [&] { progress.update(std::clamp<int64_t>(done, 0, total), total); });
    result_.files += static_cast<int64_t>(files.size());
    result_.bytes += total;
    result_.fetched += std::max<int64_t>(total - there, 0);
  }

  void fetch_one(HttpClient& client, const RemoteFile& file, std::atomic<int64_t>& done) {
    const BlobLock lock(lock_folder() + "/" + file.hash + ".lock", cancel_.asked);
    // Whole blobs are taken as they are: they were checked when they came.
    std::error_code ec;
    const auto size = fs::file_size(blob(file), ec);
    if (ec || static_cast<int64_t>(size) != file.size)
      download(client, {hub_, model_.commit, file, blob(file), [&](int64_t bytes) { done += bytes; }});
    link_to_blob(result_.folder + "/" + file.name, blob(file));
  }

  std::string lock_folder() const {
    return cache_ + "/.locks/" + fs::path(repository_.folder).filename().string();
  }

  void check_space(int64_t bytes) const {
    std::error_code ec;
    const fs::space_info space = fs::space(repository_.folder, ec);
    if (ec || static_cast<double>(space.available) >= static_cast<double>(bytes)) return;
    throw Error(repository_.folder + ": " + human_bytes(static_cast<double>(bytes)) +
                " are to come, but only " + human_bytes(static_cast<double>(space.available)) +
                " are free; HF_HUB_CACHE names another folder");
  }

  PullOptions options_;
  Cancel cancel_;
  std::string cache_;
  HubRepository repository_;
  Hub hub_;
  RemoteModel model_;
  Pulled result_;
};

}  // namespace

Pulled pull(const HubId& id, const PullOptions& options) { return Puller(id, options).run(); }

}  // namespace lmc
