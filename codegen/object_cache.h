// Compiled kernels kept between compiles: the same kernels for the same target are compiled once.
#pragma once

#include <optional>
#include <string>

#include "codegen/target.h"

namespace llvm {
class Module;
}

namespace lmc {

class ObjectCache {
 public:
  // `folder` "" keeps nothing. It must be this user's alone, since what it holds is run.
  explicit ObjectCache(std::string folder) : folder_(std::move(folder)) {}

  // Hash of the module before optimisation, the target, LLVM's version and the backend's: all that the object
  // depends on.
  static std::string key(const llvm::Module& module, const Target& target);

  std::optional<std::string> find(
      const std::string& key) const;  // none if damaged, or not stored by this user
  // A cache that cannot be written costs time, not results: then nothing is stored.
  void store(const std::string& key, const std::string& object) const;

 private:
  std::string secret() const;
  std::string path(const std::string& key) const { return folder_ + "/" + key + ".o"; }

  std::string folder_;
};

}  // namespace lmc
