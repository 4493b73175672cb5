// The cache of Hugging Face's hub on this machine, in the layout that huggingface_hub keeps
// (https://huggingface.co/docs/huggingface_hub/guides/manage-cache), so that nothing is downloaded twice:
//   CACHE/models--ORG--NAME/refs/REVISION        a commit
//   CACHE/models--ORG--NAME/snapshots/COMMIT/…   links to blobs
//   CACHE/models--ORG--NAME/blobs/HASH           the files
// Knows nothing of the network: tools/hub fills the cache.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lmc {

// A model on the hub: "google/gemma-3-1b-it", "ORG/NAME@REVISION".
struct HubId {
  std::string org, name;
  std::string revision = "main";  // a branch, a tag, "refs/pr/1" or a commit

  std::string repository() const { return org + "/" + name; }
  std::string pull_command() const;  // "lmc pull ORG/NAME", with --revision unless that is main
};

// nullopt for a text that cannot be an id, and for one that ends like a file: "models/gemma3.yaml".
std::optional<HubId> parse_hub_id(std::string_view text);
bool is_revision(std::string_view text);     // may stand behind @
bool is_commit_hash(std::string_view text);  // 40 hexadecimal digits

// HF_HOME, else XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface. Error if none of them is set.
std::string hub_home();
// HF_HUB_CACHE, else hub_home()/hub.
std::string hub_cache_folder();

// The places of one model in a cache; nothing need be there.
struct HubRepository {
  HubRepository(const std::string& cache, const HubId& id);
  std::string folder;  // CACHE/models--ORG--NAME
  std::string ref(const std::string& revision) const { return folder + "/refs/" + revision; }
  std::string snapshot(const std::string& commit) const { return folder + "/snapshots/" + commit; }
  std::string blob(const std::string& hash) const { return folder + "/blobs/" + hash; }
};

// Is it a GGUF file, and not a later part of one (…-00002-of-00003.gguf)?
bool is_gguf_to_name(const std::string& file);
// "NAME-" and "-of-00003.gguf" of a part, "" and "" of a file in one.
std::pair<std::string, std::string> gguf_part_name(const std::string& file);

// The snapshot's folder, with all a checkpoint must have, or its only GGUF file. Error telling what is
// missing and which command fetches it.
std::string hub_snapshot(const HubId& id);

// `path` itself, unless nothing is there and it is a hub id: then the snapshot's folder, as hub_snapshot().
std::string local_checkpoint(const std::string& path);

}  // namespace lmc
