// Who may ask: keys, origins of pages, names of hosts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/serve/http/message.h"

namespace lmc::serve {

struct AccessOptions {
  std::vector<std::string> keys;  // empty: none is needed
  std::string
      cors_origin;  // "https://example.org" or "*": whose pages may read answers; "": only the server's own
  // Names by which the server may be called; empty: any. A page of another site can give its own name this
  // machine's address and would then pass for one of ours.
  std::vector<std::string> hosts;
};

// One key a line, blank lines and those that begin with # left out. Error naming the file, also where others
// may read it.
std::vector<std::string> read_keys(const std::string& file);

class Access {
 public:
  explicit Access(AccessOptions options);

  // RequestError 400, 401 or 403.
  void check(const Request& request, bool open) const;
  // What an answer to this request says to the browser.
  std::vector<std::pair<std::string, std::string>> headers(const Request& request) const;

 private:
  bool allowed_origin(const Request& request) const;
  bool has_key(const std::string& authorization) const;

  AccessOptions options_;
};

}  // namespace lmc::serve
