// A connection's bytes, as they are or through TLS. One operation of a kind at a time.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>

namespace lmc::serve {

class Stream {
 public:
  using Done = std::function<void(const boost::system::error_code&, size_t bytes)>;

  virtual ~Stream() = default;
  virtual void open(Done done) = 0;  // the handshake
  virtual void read(boost::asio::mutable_buffer into, Done done) = 0;
  virtual void write(boost::asio::const_buffer from, Done done) = 0;  // all of it
  virtual void end_writing() = 0;                                     // what was written still arrives
  virtual void close() = 0;                                           // operations under way fail
};

std::unique_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Stream> tls_stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);

}  // namespace lmc::serve
