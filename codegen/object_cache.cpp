#include "codegen/object_cache.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/raw_ostream.h>

#include <cstdlib>
#include <filesystem>

#include "ir/error.h"
#include "ir/files.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

constexpr size_t kHashBytes = 32;

std::string hash_of(const std::string& data) {
  llvm::SHA256 hash;
  hash.update(data);
  const auto bytes = hash.final();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string ObjectCache::key(const llvm::Module& module, const Target& target) {
  std::string text =
      target.name() + " " + target.cpu() + " " + target.features() + " " LLVM_VERSION_STRING "\n";
  llvm::raw_string_ostream stream(text);
  llvm::WriteBitcodeToFile(module, stream);
  std::string hex;
  for (const char c : hash_of(text)) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

// A file is the object followed by its hash.
std::optional<std::string> ObjectCache::find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  std::error_code ec;
  if (!fs::is_regular_file(path(key), ec)) return std::nullopt;
  std::string data;
  try {
    data = read_file(path(key));
  } catch (const Error&) {
    return std::nullopt;
  }
  if (data.size() <= kHashBytes) return std::nullopt;
  const std::string hash = data.substr(data.size() - kHashBytes);
  data.resize(data.size() - kHashBytes);
  if (hash_of(data) != hash) return std::nullopt;
  return data;
}

void ObjectCache::store(const std::string& key, const std::string& object) const {
  if (folder_.empty()) return;
  std::error_code ec;
  fs::create_directories(folder_, ec);
  try {
    write_file(path(key), object + hash_of(object));
  } catch (const Error&) {
    // It is compiled anew next time.
  }
}

std::string default_cache_folder() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (const std::string own = variable("LMC_CACHE_DIR"); !own.empty()) return own;
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/lmc";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/lmc";
  return "";
}

}  // namespace lmc
