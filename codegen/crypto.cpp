#include "codegen/crypto.h"

#include <openssl/crypto.h>

#include <new>

namespace lmc {

OSSL_LIB_CTX* crypto() {
  static OSSL_LIB_CTX* const context = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    if (made == nullptr) throw std::bad_alloc();
    return made;
  }();
  return context;
}

}  // namespace lmc
