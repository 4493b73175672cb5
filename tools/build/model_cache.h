// Checkpoints that a command was given instead of a bundle, compiled once and kept in the cache folder:
//   CACHE/models/NAME-KEY/bundle.lmc
//   CACHE/models/NAME-KEY/source.json   what it was made of
// The key stands for the checkpoint's files (path, size, time of writing), the target and this build of lmc.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lmc {

// `given` itself, unless it is a GGUF file, a Hugging Face folder, or a hub id that the hub cache has: then
// its bundle, made now (which stderr shows) if there is none yet; bundles of the same checkpoint that have
// become stale are removed. Error as lmc compile says it.
std::string bundle_of(const std::string& given);

struct CachedModel {
  std::string name;    // NAME-KEY
  std::string source;  // the checkpoint's path; "" if that cannot be read
  std::string folder;
  int64_t bytes = 0;
  std::filesystem::file_time_type used;  // last
};

std::vector<CachedModel> cached_models();  // by name; none where there is no cache
// Error if it cannot.
void remove_cached(const CachedModel& model);

}  // namespace lmc
