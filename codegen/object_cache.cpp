#include "codegen/object_cache.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/raw_ostream.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>

#include "codegen/backend.h"
#include "codegen/crypto.h"
#include "ir/error.h"
#include "ir/files.h"

namespace lmc {
namespace {

constexpr size_t kHashBytes = 32;

std::string hash_of(const std::string& data) {
  llvm::SHA256 hash;
  hash.update(data);
  const auto bytes = hash.final();
  return {bytes.begin(), bytes.end()};
}

// HMAC-SHA256; "" if there is none to be had.
std::string keyed_hash(const std::string& secret, const std::string& data) {
  std::array<unsigned char, kHashBytes> out{};
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  const bool done = EVP_Q_mac(crypto(), "HMAC", nullptr, "SHA256", nullptr, secret.data(), secret.size(),
                              bytes, data.size(), out.data(), out.size(), &size) != nullptr;
  return done && size == out.size() ? std::string(out.begin(), out.end()) : "";
}

}  // namespace

std::string ObjectCache::key(const llvm::Module& module, const Target& target) {
  std::string text = target.name() + " " + target.cpu() + " " + target.features() +
                     " " LLVM_VERSION_STRING " " + backend_version() + "\n";
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

// Made when the first object is stored, and nobody else's to read. "" if it cannot be.
std::string ObjectCache::secret() const {
  constexpr size_t kBytes = 32;
  const std::string file = folder_ + "/secret";
  try {
    if (std::string there = read_file(file); there.size() == kBytes) return there;
  } catch (const Error&) {
    // There is none yet.
  }
  std::string fresh(kBytes, '\0');
  if (::getentropy(fresh.data(), fresh.size()) != 0) return "";
  try {
    write_file(file, fresh, Access::own);
  } catch (const Error&) {
    return "";
  }
  return fresh;
}

// A file is the object followed by what only who knows the secret can make of its key and of itself: an entry
// that was copied in, or under another name, is none.
std::optional<std::string> ObjectCache::find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  std::string data;
  try {
    data = read_file(path(key));
  } catch (const Error&) {
    return std::nullopt;
  }
  if (data.size() <= kHashBytes) return std::nullopt;
  const std::string hash = data.substr(data.size() - kHashBytes);
  data.resize(data.size() - kHashBytes);
  const std::string own = secret();
  if (own.empty() || keyed_hash(own, key + data) != hash) return std::nullopt;
  return data;
}

void ObjectCache::store(const std::string& key, const std::string& object) const {
  if (folder_.empty()) return;
  const std::string own = secret();
  if (own.empty()) return;
  try {
    write_file(path(key), object + keyed_hash(own, key + object));
  } catch (const Error&) {
    // It is compiled anew next time.
  }
}

}  // namespace lmc
