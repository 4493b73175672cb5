#include "tools/serve/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "ir/files.h"
#include "tools/serve/fields.h"

namespace lmc::serve {
namespace {

using Hash = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Hash hash_of(const std::string& text) {
  Hash out;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

// "[::1]:8080" → "[::1]"
std::string without_port(const std::string& host) {
  const size_t colon = host.rfind(':');
  return colon == std::string::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

}  // namespace

std::vector<std::string> read_keys(const std::string& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
      (about.st_mode & (S_IRGRP | S_IROTH)) != 0)
    throw Error(file + ": others may read the keys in it; chmod 600 keeps them to you");
  std::istringstream lines(read_file(file));
  std::vector<std::string> out;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t'))
      line.pop_back();
    if (!line.empty() && line[0] != '#') out.push_back(line);
  }
  if (out.empty()) throw Error(file + ": holds no key; one a line is needed");
  return out;
}

Access::Access(AccessOptions options) : options_(std::move(options)) {}

void Access::check(const Request& request, bool open) const {
  if (request.chunks && !request.headers.contains("host"))
    throw RequestError(400, "a request of HTTP/1.1 needs a Host");
  const std::string host = without_port(request.header("host"));
  const auto& hosts = options_.hosts;
  if (!hosts.empty() && !host.empty() && std::find(hosts.begin(), hosts.end(), host) == hosts.end())
    throw RequestError(403, "this server is not called '" + host + "'; --allowed-host adds a name");
  if (!allowed_origin(request))
    throw RequestError(403, "pages of other sites may not use this server; --cors-origin names one that may");
  if (!open && !options_.keys.empty() && !has_key(request.header("authorization")))
    throw RequestError(401, "a key is needed: Authorization: Bearer KEY", "", "invalid_api_key");
}

// A page may send a form or a text to any server without asking, so its origin is looked at here as well.
bool Access::allowed_origin(const Request& request) const {
  const std::string origin = request.header("origin");
  if (origin.empty() || options_.cors_origin == "*" || origin == options_.cors_origin) return true;
  const size_t slashes = origin.find("://");
  return slashes != std::string::npos && origin.substr(slashes + 3) == request.header("host");
}

// Every key is compared, by its hash: the time says nothing of how much of one was right.
bool Access::has_key(const std::string& authorization) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (!authorization.starts_with(kBearer)) return false;
  const Hash given = hash_of(authorization.substr(kBearer.size()));
  int found = 0;
  for (const std::string& key : options_.keys) {
    const Hash known = hash_of(key);
    found |= CRYPTO_memcmp(given.data(), known.data(), given.size()) == 0 ? 1 : 0;
  }
  return found != 0;
}

std::vector<std::pair<std::string, std::string>> Access::headers(const Request& request) const {
  if (options_.cors_origin.empty() || request.header("origin").empty()) return {};
  std::vector<std::pair<std::string, std::string>> out = {
      {"Access-Control-Allow-Origin", options_.cors_origin}, {"Vary", "Origin"}};
  if (request.method != "OPTIONS") return out;
  out.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  const std::string wanted = request.header("access-control-request-headers");
  out.emplace_back("Access-Control-Allow-Headers", wanted.empty() ? "Authorization, Content-Type" : wanted);
  out.emplace_back("Access-Control-Max-Age", "86400");
  return out;
}

}  // namespace lmc::serve
