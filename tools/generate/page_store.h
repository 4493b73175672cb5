// What a server has kept of prompts, in a folder, a file a page: the next one need not feed them again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/serving/batcher.h"

namespace lmc {

class PageStore {
 public:
  // `folder` exists. `model` tells bundles apart: 64 characters, the SHA-256 of the manifest. Error if it is
  // no folder.
  PageStore(std::string folder, std::string model);

  // Both while nobody runs the batcher's steps. What cannot be read, is damaged or is of another plan is
  // passed over, with a warning, and so is what has no room. Returns how many pages are kept.
  int64_t load(Batcher& batcher) const;
  // Writes the pages that are not there, then deletes those of this model that were not used for longest, so
  // that they take no more than the batcher's memory. What goes wrong is a warning.
  void save(const Batcher& batcher) const;

 private:
  std::string root(bool beyond) const;
  std::string file_for(std::string_view name) const;
  void delete_oldest(int64_t most_bytes) const;

  std::string folder_, model_;
};

}  // namespace lmc
