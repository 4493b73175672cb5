// Bytes of a connection, made into requests as they come. Knows no socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tools/serve/http/message.h"

namespace lmc::serve {

class RequestReader {
 public:
  explicit RequestReader(const HttpLimits& limits);  // which must outlive it
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes more bytes; those behind a complete request are kept for the next one. Refused for what is no
  // request of HTTP/1.0 or 1.1 or is larger than the limits say: then the connection is of no further use.
  void feed(std::string_view bytes);
  bool begun() const;  // has a byte of the request come?
  bool complete() const { return complete_; }
  // Of memory for bytes that have come.
  size_t bytes() const;
  // Once, where the client waits for a word before it sends the body.
  bool wants_continue();
  // The complete request. feed("") reads what has come behind it.
  Request take();

 private:
  struct Parser;
  void read();

  const HttpLimits& limits_;
  std::unique_ptr<Parser> parser_;
  std::string pending_;
  bool complete_ = false, continued_ = false;
};

}  // namespace lmc::serve
