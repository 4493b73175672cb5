#include "tools/serve/http/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "ir/seconds.h"

namespace lmc::serve {
namespace {

constexpr size_t kReadAtOnce = 16 << 10;
constexpr size_t kWriteAtOnce = 64 << 10;  // what a slow client has HttpLimits::write for
constexpr size_t kMostAhead = 64 << 10;    // of later requests, while one is being answered
constexpr std::chrono::seconds kLinger{2};

}  // namespace

// Reply, as other threads see it; its fields belong to the thread of the network.
class Connection::Exchange : public Reply, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Connection> connection, std::string id, Request request)
      : io_(connection->around_.io), connection_(std::move(connection)), id_(std::move(id)) {
    head_only_ = request.method == "HEAD";
    keep_alive_ = request.keep_alive;
    chunks_ = request.chunks;
    line_ = request.method + " " + request.path;
  }

  const std::string& id() const override { return id_; }
  void send(Response whole) override {
    post([this, whole = std::move(whole)]() mutable { do_send(std::move(whole)); });
  }
  void begin(Response head) override {
    post([this, head = std::move(head)]() mutable { do_begin(std::move(head)); });
  }
  void piece(std::string bytes) override {
    post([this, bytes = std::move(bytes)] { do_piece(bytes); });
  }
  void end() override {
    post([this] { do_end(); });
  }
  void on_gone(std::function<void()> then) override {
    post([this, then = std::move(then)]() mutable {
      if (state_ == State::gone) {
        then();
      } else if (state_ != State::ended) {
        gone_ = std::move(then);
      }
    });
  }
  void post(std::function<void()> task) override {
    boost::asio::post(io_, [self = shared_from_this(), task = std::move(task)] { task(); });
  }

  // The client has gone, on the thread of the network.
  void client_gone() {
    if (state_ == State::ended || state_ == State::gone) return;
    log(499);
    state_ = State::gone;
    connection_.reset();
    if (const auto then = std::exchange(gone_, nullptr)) then();
  }
  // Nobody holds the reply any more, and there was no end.
  void abandoned() {
    if (state_ == State::waiting) {
      do_send(
          {500, R"({"error":{"message":"no answer came","type":"server_error","param":null,"code":null}})"});
    } else if (state_ == State::begun) {
      keep_alive_ = false;
      finish();
    }
  }

 private:
  enum class State : uint8_t { waiting, begun, ended, gone };

  void do_send(Response r) {
    if (state_ != State::waiting) return;
    status_ = r.status;
    r.headers.emplace_back("X-Request-Id", id_);
    std::string bytes =
        head_of(r, head_only_ ? BodyKind::none : BodyKind::whole, keep_alive_ && !connection_->last_);
    if (!head_only_) bytes += r.body;
    write(std::move(bytes));
    if (state_ == State::waiting) finish();
  }
  void do_begin(Response r) {
    if (state_ != State::waiting) return;
    state_ = State::begun;
    status_ = r.status;
    keep_alive_ = keep_alive_ && chunks_;
    r.headers.emplace_back("X-Request-Id", id_);
    r.headers.emplace_back("Cache-Control", "no-cache");
    write(
        head_of(r, chunks_ ? BodyKind::chunked : BodyKind::until_close, keep_alive_ && !connection_->last_));
  }
  void do_piece(const std::string& bytes) {
    if (state_ != State::begun || head_only_ || bytes.empty()) return;
    write(chunks_ ? chunk_of(bytes) : bytes);
  }
  void do_end() {
    if (state_ != State::begun) return;
    if (chunks_ && !head_only_) write(std::string(kLastChunk));
    if (state_ == State::begun) finish();
  }
  void write(std::string bytes) {
    sent_ += bytes.size();
    const auto connection = connection_;
    connection->write(std::move(bytes));  // may find that the client has gone
  }
  void finish() {
    log(status_);
    state_ = State::ended;
    gone_ = nullptr;
    const auto connection = std::exchange(connection_, nullptr);
    connection->ended(keep_alive_);
  }
  void log(int status) {
    connection_->around_.log(id_, connection_->peer_, line_, status, sent_, seconds_since(begin_));
  }

  boost::asio::io_context& io_;
  std::shared_ptr<Connection> connection_;  // until the end
  std::string id_, line_;
  State state_ = State::waiting;
  bool head_only_ = false, keep_alive_ = true, chunks_ = true;
  int status_ = 0;
  size_t sent_ = 0;
  std::function<void()> gone_;
  Clock::time_point begin_ = Clock::now();
};

Connection::Connection(Surroundings& around, std::unique_ptr<Stream> stream, std::string peer)
    : around_(around), stream_(std::move(stream)), peer_(std::move(peer)), reader_(around.limits) {}

void Connection::start() {
  wait(around_.limits.read);
  stream_->open([self = shared_from_this()](const boost::system::error_code& e, size_t) {
    if (self->state_ != State::opening) return;
    if (e) return self->close();
    self->state_ = State::open;
    self->wait(self->around_.limits.idle);
    self->read_more();
  });
}

void Connection::refuse(const Refused& why) {
  wait(around_.limits.read);
  stream_->open([self = shared_from_this(), why](const boost::system::error_code& e, size_t) {
    if (self->state_ != State::opening) return;
    if (e) return self->close();
    self->state_ = State::open;
    self->reject(why);
    self->read_more();
  });
}

void Connection::check_time(Clock::time_point now) {
  if (state_ == State::closed) return;
  if (now >= write_deadline_) return close();
  if (now < deadline_) return;
  // Who sends slowly is told so; who is silent between requests expects to be hung up on.
  if (state_ == State::open && reader_.begun() && !exchange_ && !last_)
    return reject(Refused(408, "the request did not come within its time"));
  close();
}

void Connection::finish() {
  last_ = true;
  if (!busy()) close();
}

void Connection::read_more() {
  if (reading_ || state_ == State::closed || ahead_.size() >= kMostAhead) return;
  reading_ = true;
  received_.resize(kReadAtOnce);
  stream_->read(boost::asio::buffer(received_),
                [self = shared_from_this()](const boost::system::error_code& e, size_t bytes) {
                  self->reading_ = false;
                  self->on_read(e, bytes);
                });
}

// An end of the client's bytes is taken for its going: one that only stopped sending cannot be told from
// that.
void Connection::on_read(const boost::system::error_code& e, size_t bytes) {
  if (state_ == State::closed) return;
  if (e) return close();
  if (state_ == State::open && !last_) {
    ahead_.append(received_, 0, bytes);
    advance();
  } else if (exchange_) {
    ahead_.append(received_, 0, bytes);
  }
  read_more();
}

void Connection::advance() {
  if (exchange_ || last_ || state_ != State::open) return;
  try {
    reader_.feed(std::exchange(ahead_, {}));
    if (reader_.complete()) {
      begun_ = false;
      deadline_ = Clock::time_point::max();
      return answer(reader_.take());
    }
    if (around_.bytes_in_bodies() > around_.limits.bodies)
      throw Refused(503, "too many large requests at a time");
    if (reader_.wants_continue()) write("HTTP/1.1 100 Continue\r\n\r\n");
  } catch (const Refused& why) {
    return reject(why);
  }
  if (reader_.begun() != begun_) wait((begun_ = reader_.begun()) ? around_.limits.read : around_.limits.idle);
}

void Connection::answer(Request request) {
  const auto exchange = std::make_shared<Exchange>(shared_from_this(), around_.next_id(), request);
  exchange_ = exchange;
  // The last one to let go of the reply says so, if there was no end. That may be another thread while this
  // one is just saying the end: what is posted here waits for the rest of what goes on here, what is posted
  // there does not. So it is posted a second time, from here, and comes last.
  ++around_.answers;
  const std::shared_ptr<Reply> reply(exchange.get(), [exchange, &around = around_](Reply*) {
    exchange->post([e = exchange.get(), &around] {
      e->post([e, &around] {
        e->abandoned();
        --around.answers;
      });
    });
  });
  around_.handler(std::move(request), reply);
}

// The rest of the request is of no use: the connection ends with this answer.
void Connection::reject(const Refused& why) {
  Request request;
  request.keep_alive = false;
  request.path = "(unread)";
  last_ = true;
  deadline_ = Clock::time_point::max();
  exchange_ = std::make_shared<Exchange>(shared_from_this(), around_.next_id(), request);
  const std::string kind = why.status >= 500 ? "server_error" : "invalid_request_error";
  Response r{why.status, R"({"error":{"message":")" + std::string(why.what()) + R"(","type":")" + kind +
                             R"(","param":null,"code":null}})"};
  if (why.status == 503) r.headers.emplace_back("Retry-After", "1");
  exchange_->send(std::move(r));
}

void Connection::write(std::string bytes) {
  if (state_ == State::closed) return;
  unsent_ += bytes.size();
  if (unsent_ > around_.limits.unsent + bytes.size()) return close();
  // Blocks of what a client is given its time for; the one being written stays as it is.
  std::string_view left = bytes;
  while (!left.empty()) {
    const bool full = output_.size() < (writing_ ? 2 : 1) || output_.back().size() >= kWriteAtOnce;
    if (full) output_.emplace_back();
    const size_t part = std::min(left.size(), kWriteAtOnce - output_.back().size());
    output_.back() += left.substr(0, part);
    left.remove_prefix(part);
  }
  write_more();
}

void Connection::write_more() {
  if (writing_ || output_.empty() || state_ == State::closed) return;
  writing_ = true;
  write_deadline_ = Clock::now() + around_.limits.write;
  stream_->write(boost::asio::buffer(output_.front()),
                 [self = shared_from_this()](const boost::system::error_code& e, size_t) {
                   self->writing_ = false;
                   self->write_deadline_ = Clock::time_point::max();
                   if (self->state_ == State::closed) return;
                   if (e) return self->close();
                   self->unsent_ -= self->output_.front().size();
                   self->output_.pop_front();
                   if (!self->output_.empty()) return self->write_more();
                   if (!self->exchange_ && self->last_) self->ended(false);
                 });
}

// The answer is complete, though not yet sent.
void Connection::ended(bool keep_alive) {
  exchange_.reset();
  if (state_ == State::closed) return;
  last_ = last_ || !keep_alive;
  if (last_) {
    if (!output_.empty() || state_ == State::lingering) return;
    // Closed at once, bytes of the client that nobody read would take the answer with them.
    state_ = State::lingering;
    ahead_.clear();
    wait(kLinger);
    stream_->end_writing();
    return read_more();
  }
  wait(around_.limits.idle);
  boost::asio::post(around_.io, [self = shared_from_this()] {
    self->advance();
    self->read_more();
  });
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  stream_->close();
  ahead_.clear();  // but not what is being written
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->client_gone();
  around_.closed(*this);
}

}  // namespace lmc::serve
