// The answer to one request, from whatever thread it comes. Nothing here waits for the client.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tools/serve/http/message.h"

namespace lmc::serve {

// Either send(), or begin(), pieces and end(). What is said after that, or after the client has gone, is
// dropped. One that is let go without an end closes the connection.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual const std::string& id() const = 0;  // of the request, in the log and in the header X-Request-Id
  virtual void send(Response whole) = 0;
  virtual void begin(Response head) = 0;  // its body is sent in pieces; they are not made of Response::body
  virtual void piece(std::string bytes) = 0;
  virtual void end() = 0;
  // Called once, by the thread of the network, if the client goes before the end; soon, if it has gone
  // already.
  virtual void on_gone(std::function<void()> then) = 0;
  // Runs a task on the thread of the network, in the order in which all this is called.
  virtual void post(std::function<void()> task) = 0;
};

// Called by the thread of the network: must not block.
using Handler = std::function<void(Request, std::shared_ptr<Reply>)>;

}  // namespace lmc::serve
