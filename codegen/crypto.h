// OpenSSL, for hashes and signatures.
#pragma once

struct ossl_lib_ctx_st;  // OSSL_LIB_CTX

namespace lmc {

// A context of our own: OpenSSL's usual one is used half made where there was no memory for all of it. It
// stays for the process's life, as threads may still hash when it ends. std::bad_alloc.
ossl_lib_ctx_st* crypto();

}  // namespace lmc
