#include "tools/bundle/signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <new>

#include "codegen/crypto.h"
#include "ir/error.h"
#include "ir/files.h"

namespace lmc {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Text = std::unique_ptr<BIO, void (*)(BIO*)>;
using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

constexpr size_t kSignatureBytes = 64;

const unsigned char* bytes(const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); }

Text reader(const std::string& pem) {
  Text out(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
  if (!out) throw std::bad_alloc();
  return out;
}

Context new_context() {
  Context out(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!out) throw std::bad_alloc();
  return out;
}

// OpenSSL would ask for a passphrase on the terminal, and a script would wait for ever.
int no_passphrase(char*, int, int, void*) { return -1; }

bool is_ed25519(const Key& key) { return key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519; }

// Of a key file, which is small whatever was named.
std::string pem_of(const std::string& file) {
  constexpr size_t kMost = size_t{1} << 20;
  std::string out = read_input(file);
  if (out.size() > kMost) throw Error(file + ": is too large for a file of keys");
  return out;
}

bool verifies(const Key& key, const std::string& text, const std::string& signature) {
  const Context context = new_context();
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, crypto(), nullptr, key.get(), nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

}  // namespace

SigningKey::SigningKey(const std::string& file) {
  const std::string pem = pem_of(file);
  const Text text = reader(pem);
  Key key(PEM_read_bio_PrivateKey_ex(text.get(), nullptr, no_passphrase, nullptr, crypto(), nullptr),
          EVP_PKEY_free);
  if (!is_ed25519(key)) {
    throw Error(file +
                ": is no Ed25519 private key in PEM without a passphrase; make one with openssl genpkey "
                "-algorithm ed25519 -out " +
                file);
  }
  key_ = {key.release(), [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); }};
}

std::string SigningKey::sign(const std::string& text) const {
  const Context context = new_context();
  std::string out(kSignatureBytes, '\0');
  size_t size = out.size();
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, crypto(), nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes(text),
                     text.size()) != 1 ||
      size != out.size())
    throw Error("OpenSSL cannot sign with this key");
  return out;
}

std::string trusted_keys() {
  const char* keys = std::getenv("LMC_TRUST");
  return keys != nullptr ? keys : "";
}

void check_signature(const std::string& bundle, const std::string& manifest, const std::string& keys) {
  const std::string file = bundle + "/" + kSignatureFile;
  const std::string signature = start_of_file(file, kSignatureBytes + 1);
  if (signature.empty())
    throw Error(bundle + ": is not signed, and only bundles signed by " + keys + " may run");
  const std::string pem = pem_of(keys);
  const Text text = reader(pem);
  int count = 0;
  while (true) {
    const Key key(PEM_read_bio_PUBKEY_ex(text.get(), nullptr, no_passphrase, nullptr, crypto(), nullptr),
                  EVP_PKEY_free);
    if (!key) break;
    if (!is_ed25519(key)) throw Error(keys + ": holds a key that is not Ed25519");
    ++count;
    if (signature.size() == kSignatureBytes && verifies(key, manifest, signature)) return;
  }
  if (count == 0) {
    throw Error(keys + ": holds no public key in PEM; make one with openssl pkey -in KEY -pubout -out " +
                keys);
  }
  throw Error(file + ": is of none of the keys in " + keys);
}

void add_trust_flag(Flags& flags) {
  flags
      .option(
          "--trust", [](const std::string& keys) { ::setenv("LMC_TRUST", keys.c_str(), 1); },
          "only what is signed by one of these public keys (see lmc compile --sign)")
      .check([](const std::string& keys) { return keys.empty() ? "names no file" : ""; }, "")
      .type_name("FILE");
}

}  // namespace lmc
