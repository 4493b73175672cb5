// One HTTP request over libcurl, redirects followed by hand: what is secret goes to the first host alone, and
// what is posted goes nowhere else.
// Knows nothing of the hub.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "ir/error.h"

namespace lmc {

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of several with one name
  std::string url;   // that gave this answer, after redirects; without its query, which may be a signature
  std::string body;  // without a sink, or of an answer that is no success

  std::string header(const std::string& name) const;  // "" if there is none
  bool success() const { return status == 200 || status == 206; }
};

struct HttpRequest {
  std::string url;           // http:// or https://
  std::string token;         // sent as bearer to the scheme, host and port of `url` only; "" = none
  std::string json;          // posted; "" = nothing is, the URL is fetched
  bool head = false;         // headers alone; then a redirect to another host is the answer
  int64_t from = 0;          // the first byte wanted
  bool direct = false;       // past proxies that the environment names
  int timeout_seconds = 30;  // to connect, and for a connection on which nothing moves
  // Called once when a success begins, with its headers, and then with each piece of its body.
  std::function<void(const HttpResponse&)> begin;
  std::function<void(std::span<const std::byte>)> sink;
  std::function<bool()> cancelled;  // asked about once a second or oftener; true ends it with Interrupted
};

// The connection failed or ended early: another attempt may help.
class TransferFailed : public Error {
 public:
  using Error::Error;
  int64_t moved = 0;  // bytes of the body that had come
};

// Keeps connections open between requests; for one thread.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  // Any status is an answer. TransferFailed as above; Error for a redirect that must not be followed; what
  // `begin` and `sink` throw.
  HttpResponse perform(const HttpRequest& request);

 private:
  HttpResponse one_hop(const HttpRequest& request, const std::string& url, bool with_token);
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace lmc
