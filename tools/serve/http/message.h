// Requests and answers of HTTP/1.1 as plain data. Knows no socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"

namespace lmc::serve {

// Everything that comes over the network is bounded; each of these is a flag of `lmc serve` or follows from
// one.
struct HttpLimits {
  size_t header = 16 << 10;   // bytes, request line included
  size_t body = 8 << 20;      // bytes
  size_t bodies = 256 << 20;  // bytes of all requests that are being received
  size_t connections = 512;
  size_t unsent = 8 << 20;         // bytes that a client may be behind its answer
  std::chrono::seconds read{30};   // from the first byte of a request to its last; the TLS handshake
  std::chrono::seconds write{30};  // for 64 KB of an answer to be taken
  std::chrono::seconds idle{75};   // between requests of a connection
};

struct Request {
  std::string method, path, query;             // "POST", "/v1/models"; percent signs are as they were sent
  std::map<std::string, std::string> headers;  // names in lower case; of several with one name the last
  std::string body;
  bool keep_alive = true;
  bool chunks = true;  // may the answer come in chunks? Not to HTTP/1.0

  std::string header(const std::string& name) const;  // "" if there is none
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// A request that is not served, and the status that says why.
class Refused : public Error {
 public:
  Refused(int s, const std::string& message) : Error(message), status(s) {}
  int status;
};

std::string_view reason_phrase(int status);

enum class BodyKind { whole, chunked, until_close, none };  // none: as whole, but a HEAD request asked for it
// Status line and header. Names and values with a control character in them are left out: they cannot be told
// from the next header.
std::string head_of(const Response& response, BodyKind kind, bool keep_alive);
// A piece of a chunked body; nothing for an empty one, which would end it.
std::string chunk_of(std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace lmc::serve
