// The HTTP server as lmc serve uses it: the thread of the network, one that reads requests, one that makes
// texts, and clients some of which leave.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>

#include "runtime/random.h"
#include "runtime/serving/batcher.h"
#include "tests/threads/threads.h"
#include "tests/unit/runtime/toy_model.h"
#include "tools/serve/http/server.h"

namespace lmc {
namespace {

// A text in the making: answers as tools/serve/answering.cpp does.
class Making : public std::enable_shared_from_this<Making> {
 public:
  explicit Making(std::shared_ptr<serve::Reply> reply) : reply_(std::move(reply)) {}

  void submit(Batcher& batcher, int64_t tokens) {
    AnswerRequest r{.prompt = test::some_tokens(40)};
    r.options.max_tokens = tokens;
    const auto self = shared_from_this();
    r.on_token = [self](const TokenChoice&) {
      self->reply_->post([self] { self->piece(); });
      return true;
    };
    r.on_end = [self](const Generated&, const std::string&) {
      self->reply_->post([self] { self->reply_->end(); });
    };
    const uint64_t id = batcher.submit(std::move(r));
    if (id == 0) return reply_->send({429, "full"});
    reply_->on_gone([&batcher, id] { batcher.cancel(id); });
  }

 private:
  void piece() {
    if (!begun_) reply_->begin({200, "", "text/plain"});
    begun_ = true;
    reply_->piece("x");
  }

  std::shared_ptr<serve::Reply> reply_;
  bool begun_ = false;
};

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(const std::string& text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // Until `end` came, or nothing more does.
  std::string hear(const std::string& end) const {
    std::string out;
    char block[4096];
    while (out.find(end) == out.npos) {
      const ssize_t n = ::recv(socket_, block, sizeof block, 0);
      if (n <= 0) break;
      out.append(block, static_cast<size_t>(n));
    }
    return out;
  }

 private:
  int socket_;
};

constexpr int kConnections = 40;  // of each client, one after the other

TEST(HttpServer, RequestsAreAnsweredByOtherThreadsWhileClientsLeave) {
  const test::ToyModel model(100, 300, 32, 16);
  const auto session = model.session({.threads = 1, .scheduler = "in-order"});
  Batcher batcher(*session, {.slots = 4, .queue = 240, .kv_bytes = 1 << 18});
  boost::asio::thread_pool reader(1);
  const auto handle = [&](serve::Request request, std::shared_ptr<serve::Reply> reply) {
    boost::asio::post(reader, [&, request = std::move(request), reply = std::move(reply)] {
      if (request.path == "/whole") return reply->send({200, request.body, "text/plain"});
      std::make_shared<Making>(reply)->submit(batcher, std::stoll(request.body));
    });
  };
  serve::ServerOptions options;
  options.port = 0;
  serve::HttpServer server(options, handle);
  std::jthread steps([&] { batcher.run(); });
  std::jthread network([&] { server.run([] {}); });
  std::atomic<bool> done{false};
  std::jthread looker([&] {
    while (!done) EXPECT_LE(server.stats().connections, size_t{kThreads} * kConnections);
  });
  {
    std::vector<std::jthread> clients;
    for (int t = 0; t < kThreads; ++t) {
      clients.emplace_back([&, t] {
        Random random(static_cast<uint64_t>(t));
        for (int i = 0; i < kConnections; ++i) {
          const Client client(server.port());
          const auto ask = [&](const std::string& path, const std::string& body) {
            client.say("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
          };
          switch (random.below(4)) {
            case 0:
              ask("/whole", "hello");
              EXPECT_NE(client.hear("hello").find("200 OK"), std::string::npos);
              [[fallthrough]];  // the connection stays
            case 1: {
              const uint64_t tokens = 1 + random.below(20);
              ask("/text", std::to_string(tokens));
              const std::string answer = client.hear("0\r\n\r\n");
              size_t pieces = 0;
              for (size_t at = 0; (at = answer.find("1\r\nx\r\n", at)) != answer.npos; ++at) ++pieces;
              EXPECT_EQ(pieces, tokens) << answer;
              break;
            }
            case 2:
              ask("/text", "200");
              if (random.below(2) == 0) client.hear("x");
              break;  // leaves
            default:
              client.say("no request\r\n\r\n");
              EXPECT_NE(client.hear("}").find("400"), std::string::npos);
          }
        }
      });
    }
  }
  for (int i = 0; i < 1000 && server.stats().connections > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(server.stats().connections, 0u);
  EXPECT_EQ(server.stats().accepted, uint64_t{kThreads} * kConnections);
  done = true;
  looker.join();
  batcher.stop(std::chrono::seconds(60));
  steps.join();
  EXPECT_EQ(batcher.stats().running, 0);
  reader.join();
  server.stop(std::chrono::seconds(1));
}

}  // namespace
}  // namespace lmc
