// Who vouches for a bundle: manifest.sig is an Ed25519 signature (RFC 8032) of the bytes of manifest.json,
// whose hashes cover every other file. Keys are PEM files, as `openssl genpkey -algorithm ed25519` makes
// them.
#pragma once

#include <memory>
#include <string>

#include "tools/cli/flags.h"

namespace lmc {

inline constexpr const char* kSignatureFile = "manifest.sig";

// A private key to sign with.
class SigningKey {
 public:
  explicit SigningKey(
      const std::string& file);  // Error naming the file: not there, not Ed25519, a passphrase
  std::string sign(const std::string& text) const;  // 64 bytes

 private:
  std::shared_ptr<void> key_;
};

// The public keys, in PEM one after the other, of those whose bundles may run: --trust, else $LMC_TRUST; ""
// if any bundle may.
std::string trusted_keys();

// Error naming the bundle unless its manifest.sig is a signature of `manifest` by one of the keys in the
// file, or naming that file if it holds none.
void check_signature(const std::string& bundle, const std::string& manifest, const std::string& keys);

// --trust, of commands that open bundles; holds for the processes that they start, too.
void add_trust_flag(Flags& flags);

}  // namespace lmc
