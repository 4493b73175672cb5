#include "tools/serve/http/stream.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace lmc::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;

class Plain : public Stream {
 public:
  explicit Plain(tcp::socket socket) : socket_(std::move(socket)) {}

  void open(Done done) override {
    asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }
  void read(asio::mutable_buffer into, Done done) override { socket_.async_read_some(into, std::move(done)); }
  void write(asio::const_buffer from, Done done) override {
    asio::async_write(socket_, from, std::move(done));
  }
  void end_writing() override {
    Code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() override {
    Code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

class Tls : public Stream {
 public:
  Tls(tcp::socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void open(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](const Code& e) { done(e, 0); });
  }
  void read(asio::mutable_buffer into, Done done) override { stream_.async_read_some(into, std::move(done)); }
  void write(asio::const_buffer from, Done done) override {
    asio::async_write(stream_, from, std::move(done));
  }
  // The length of an answer is in its header, so that nobody needs TLS's own word of the end.
  void end_writing() override {
    Code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() override {
    Code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(tcp::socket socket) {
  return std::make_unique<Plain>(std::move(socket));
}

std::unique_ptr<Stream> tls_stream(tcp::socket socket, asio::ssl::context& context) {
  return std::make_unique<Tls>(std::move(socket), context);
}

}  // namespace lmc::serve
