#include "tools/serve/http/server.h"

#include <fmt/format.h>
#include <malloc.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <random>
#include <utility>

#include "tools/cli/console.h"
#include "tools/serve/http/connection.h"

namespace lmc::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;
using Clock = Connection::Clock;

constexpr std::chrono::milliseconds kTick{100};
constexpr size_t kMostRefusals = 64;  // connections that are told there are too many; further ones are closed

std::unique_ptr<asio::ssl::context> tls_context(const ServerOptions& o) {
  if (o.tls_certificate.empty()) return nullptr;
  auto out = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  out->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  Code e;
  out->use_certificate_chain_file(o.tls_certificate, e);
  if (e) throw Error(o.tls_certificate + ": is no certificate in PEM: " + e.message());
  out->use_private_key_file(o.tls_key, asio::ssl::context::pem, e);
  if (e) throw Error(o.tls_key + ": is no private key in PEM of that certificate: " + e.message());
  return out;
}

std::string peer_name(const tcp::socket& socket) {
  Code e;
  const tcp::endpoint peer = socket.remote_endpoint(e);
  return e ? "?" : fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const ServerOptions& o, Handler handler)
      : limits_(o.limits),
        handler_(std::move(handler)),
        host_(o.host),
        tls_(tls_context(o)),
        acceptor_(io_),
        timer_(io_),
        signals_(io_),
        around_{io_,
                limits_,
                handler_,
                [this] { return next_id(); },
                [this] { return bytes_in_bodies(); },
                [this](Connection& c) { connections_.erase(&c); },
                log} {
    listen(o);
    run_id_ = fmt::format("{:08x}", std::random_device()());
  }

  int port() const { return port_; }
  std::string address() const {
    const bool v6 = host_.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", tls_ ? "https" : "http", v6 ? "[" : "", host_, v6 ? "]" : "", port_);
  }

  void run(const std::function<void()>& on_signal) {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    next_signal(on_signal);
    accept();
    tick();
    io_.run();
  }

  void stop(std::chrono::milliseconds grace) {
    asio::post(io_, [this, grace] {
      Code ignored;
      acceptor_.close(ignored);
      stopping_ = true;
      end_ = std::min(end_, Clock::now() + grace);
      for (const auto& c : all()) c->finish();
    });
  }

  ServerStats stats() const { return {open_.load(), accepted_.load(), refused_.load()}; }

 private:
  void listen(const ServerOptions& o) {
    Code e;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(o.host, std::to_string(o.port),
                                        tcp::resolver::passive | tcp::resolver::numeric_service, e);
    if (e) throw Error(fmt::format("--host {}: {}", o.host, e.message()));
    const tcp::endpoint at = *found.begin();
    const auto check = [&](const char* what) {
      if (e) throw Error(fmt::format("cannot {} {}:{}: {}", what, o.host, o.port, e.message()));
    };
    acceptor_.open(at.protocol(), e);
    check("open a socket for");
    acceptor_.set_option(tcp::acceptor::reuse_address(true), e);
    acceptor_.bind(at, e);
    check("listen on");
    acceptor_.listen(asio::socket_base::max_listen_connections, e);
    check("listen on");
    port_ = acceptor_.local_endpoint().port();
  }

  void accept() {
    acceptor_.async_accept([this](const Code& e, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (!e) {
        take(std::move(socket));
        return accept();
      }
      // Out of descriptors, most likely: others will end.
      timer_retry_.expires_after(std::chrono::milliseconds(50));
      timer_retry_.async_wait([this](const Code&) {
        if (acceptor_.is_open()) accept();
      });
    });
  }

  void take(tcp::socket socket) {
    Code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    ++accepted_;
    used_ = true;
    const bool full = connections_.size() >= limits_.connections;
    if (full) ++refused_;
    if (full && connections_.size() >= limits_.connections + kMostRefusals) return;
    std::string peer = peer_name(socket);
    const auto c = std::make_shared<Connection>(
        around_, tls_ ? tls_stream(std::move(socket), *tls_) : plain_stream(std::move(socket)),
        std::move(peer));
    connections_.emplace(c.get(), c);
    open_ = connections_.size();
    full ? c->refuse(Refused(503, "too many connections")) : c->start();
  }

  // Looks at the time of every connection.
  void tick() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](const Code&) {
      const auto now = Clock::now();
      for (const auto& c : all()) c->check_time(now);
      open_ = connections_.size();
      give_back_memory();
      if (stopping_ && (connections_.empty() || now >= end_)) {
        signals_.cancel();
        return io_.stop();
      }
      tick();
    });
  }

  // When everybody has gone and nothing is worked at for them: what large requests took would otherwise stay
  // with the allocator.
  void give_back_memory() {
    if (!connections_.empty() || around_.answers > 0) {
      used_ = true;
    } else if (std::exchange(used_, false)) {
      ::malloc_trim(0);
    }
  }

  void next_signal(const std::function<void()>& on_signal) {
    signals_.async_wait([this, &on_signal](const Code& e, int) {
      if (e) return;
      on_signal();
      next_signal(on_signal);
    });
  }

  std::vector<std::shared_ptr<Connection>> all() const {
    std::vector<std::shared_ptr<Connection>> out;
    for (const auto& [at, c] : connections_) out.push_back(c);
    return out;
  }

  size_t bytes_in_bodies() const {
    size_t out = 0;
    for (const auto& [at, c] : connections_) out += c->bytes_received();
    return out;
  }

  // Of this run and this request: found in the log by it.
  std::string next_id() { return fmt::format("{}-{}", run_id_, ++requests_); }

  static void log(const std::string& id, const std::string& peer, const std::string& request, int status,
                  size_t bytes, double seconds) {
    info("{} {} {} {} {} bytes {:.3f} s", id, peer, request.substr(0, 200), status, bytes, seconds);
  }

  HttpLimits limits_;
  Handler handler_;
  std::string host_, run_id_;
  int port_ = 0;
  std::unique_ptr<asio::ssl::context> tls_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_, timer_retry_{io_};
  asio::signal_set signals_;
  Surroundings around_;
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
  uint64_t requests_ = 0;
  bool stopping_ = false, used_ = false;
  Clock::time_point end_ = Clock::time_point::max();
  std::atomic<size_t> open_ = 0;
  std::atomic<uint64_t> accepted_ = 0, refused_ = 0;
};

HttpServer::HttpServer(const ServerOptions& options, Handler handler)
    : impl_(std::make_unique<Impl>(options, std::move(handler))) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return impl_->port(); }
std::string HttpServer::address() const { return impl_->address(); }
void HttpServer::run(const std::function<void()>& on_signal) { impl_->run(on_signal); }
void HttpServer::stop(std::chrono::milliseconds grace) { impl_->stop(grace); }
ServerStats HttpServer::stats() const { return impl_->stats(); }

}  // namespace lmc::serve
