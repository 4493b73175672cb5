// What the hub is asked: which files a model has at a revision, and the size and hash of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/hub_cache.h"
#include "tools/hub/retry.h"

namespace lmc {

// How to reach the hub, from the variables that huggingface_hub uses.
struct HubAccess {
  std::string endpoint;  // HF_ENDPOINT, else https://huggingface.co; no "/" at its end
  std::string token;     // HF_TOKEN, else the file HF_TOKEN_PATH or HF_HOME/token; "" = none
};
// Error if HF_HUB_OFFLINE forbids the network, or what is set cannot be used.
HubAccess hub_access();

struct RemoteFile {
  std::string name;   // below the snapshot's folder; checked not to leave it
  int64_t size = -1;  // bytes; -1 = not known yet
  std::string hash;   // hex: SHA-256 of a file in LFS, else Git's SHA-1 of a blob; "" = not known yet
};

struct RemoteModel {
  std::string commit;
  std::vector<RemoteFile> files;
  const RemoteFile* find(const std::string& name) const;  // null if there is none
};

class Hub {
 public:
  struct Options {
    Retry retry;
    int timeout_seconds = 30;
  };
  Hub(HubAccess access, HubId id, Options options);

  // Each: Error saying what the hub refused and what to do.
  RemoteModel model(HttpClient& client) const;
  // Fills in size and hash of one of the model's files.
  void describe(HttpClient& client, const std::string& commit, RemoteFile& file) const;
  // Asks for the file from byte `request.from` on; success() holds for what is returned, or 416 (no such
  // range). One attempt.
  HttpResponse get(HttpClient& client, const std::string& commit, const RemoteFile& file,
                   HttpRequest request) const;
  // An answer that is no success, as an Error; `what` is a file's name or "".
  [[noreturn]] void refuse(const HttpResponse& response, const std::string& what) const;

  const HubId& id() const { return id_; }
  const Options& options() const { return options_; }

 private:
  HttpRequest request(const std::string& path) const;

  HubAccess access_;
  HubId id_;
  Options options_;
};

}  // namespace lmc
