// One connection: requests one after the other, each answered before the next is looked at. All of it runs on
// the thread of the network, but for the calls of Reply.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "tools/serve/http/reply.h"
#include "tools/serve/http/request_reader.h"
#include "tools/serve/http/stream.h"

namespace lmc::serve {

// What a connection needs of the server around it.
class Connection;
struct Surroundings {
  boost::asio::io_context& io;
  const HttpLimits& limits;
  const Handler& handler;
  std::function<std::string()> next_id;
  std::function<size_t()> bytes_in_bodies;  // of all connections
  std::function<void(Connection&)> closed;  // as the last
  std::function<void(const std::string& id, const std::string& peer, const std::string& request, int status,
                     size_t bytes, double seconds)>
      log;
  int64_t answers = 0;  // replies that somebody still holds, whether or not the client has gone
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(Surroundings& around, std::unique_ptr<Stream> stream, std::string peer);

  void start();
  // Now and then: closes what has taken too long.
  void check_time(Clock::time_point now);
  // Refuses the client without reading anything.
  void refuse(const Refused& why);
  // The last answer is the one under way; without one it closes now.
  void finish();
  size_t bytes_received() const { return reader_.bytes(); }
  bool busy() const { return exchange_ != nullptr || !output_.empty(); }

 private:
  class Exchange;
  friend class Exchange;

  void read_more();
  void on_read(const boost::system::error_code& e, size_t bytes);
  void advance();
  void answer(Request request);
  void reject(const Refused& why);
  void write(std::string bytes);
  void write_more();
  void ended(bool keep_alive);
  void close();
  void wait(std::chrono::seconds most) { deadline_ = Clock::now() + most; }

  enum class State : uint8_t { opening, open, lingering, closed };

  Surroundings& around_;
  std::unique_ptr<Stream> stream_;
  std::string peer_;
  State state_ = State::opening;
  RequestReader reader_;
  std::string received_;                // by the read under way
  std::string ahead_;                   // what came while an answer is being made
  std::shared_ptr<Exchange> exchange_;  // of the request that is being answered
  std::deque<std::string> output_;      // in blocks; its front is being written
  size_t unsent_ = 0;                   // bytes of output_
  bool reading_ = false, writing_ = false, last_ = false, begun_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();  // of the read, or of silence
  Clock::time_point write_deadline_ = Clock::time_point::max();
};

}  // namespace lmc::serve
