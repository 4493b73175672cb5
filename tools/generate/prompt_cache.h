// What a prompt left in the KV cache, in files: a later run that begins alike need not feed it again, and
// computes the same bits.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/session.h"

namespace lmc {

class PromptCache {
 public:
  // `path` is a file, which may not exist yet, or a folder of such files. `model` tells bundles apart: 64
  // characters, the SHA-256 of the manifest. Error if `path` is neither and no file can be made there.
  PromptCache(std::string path, std::string model);

  // A new sequence in the session: the longest beginning of `prompt` that is stored, but not its last token,
  // whose logits are wanted. Returns its length. Error for a file that is damaged, of another model, or no
  // prompt cache; of a folder, such files are passed over, with a warning if they are damaged.
  int64_t load(Session& session, std::span<const int32_t> prompt);

  // Stores the session's sequence, unless it was found stored. A file is replaced whole or not at all. What
  // goes wrong is a warning: the sequence itself is none the worse.
  void save(Session& session) const;

 private:
  std::vector<std::string> candidates() const;
  std::string file_for(std::span<const int32_t> tokens) const;

  std::string path_, model_;
  bool folder_;
  std::vector<int32_t> found_;  // the stored sequence that load() used
};

}  // namespace lmc
