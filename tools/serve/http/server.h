// Listens, accepts and counts connections, on one thread of its own making. Knows nothing of what is asked.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tools/serve/http/reply.h"

namespace lmc::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";        // a name or an address
  int port = 8080;                       // 0: any that is free
  std::string tls_certificate, tls_key;  // files in PEM; both or none
  HttpLimits limits = {};
};

struct ServerStats {
  size_t connections = 0;
  uint64_t accepted = 0, refused = 0;  // of connections
};

class HttpServer {
 public:
  // Listens from now on. Error naming host and port, or the file.
  HttpServer(const ServerOptions& options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  std::string address() const;  // "http://127.0.0.1:8080"
  // Accepts and answers until stop(). `on_signal` is called, on this thread, at every SIGINT and SIGTERM. One
  // thread, once.
  void run(const std::function<void()>& on_signal);
  // Any thread. No connection is accepted any more, answers under way may end within the grace.
  void stop(std::chrono::milliseconds grace);
  ServerStats stats() const;  // any thread

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc::serve
