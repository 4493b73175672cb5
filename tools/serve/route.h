// The table of routes: each registers itself from a file of routes/, with its fields. What is served, what is
// checked and what GET /help shows all come from here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/serve/fields.h"
#include "tools/serve/http/reply.h"

namespace lmc::serve {

class Service;

// Whose clients speak so: it decides what an error looks like, and whether an unknown field is one.
enum class Dialect : uint8_t { openai, llama_cpp, ollama, own };

struct Call {
  const Request& request;
  Dialect dialect;
  std::string rest;  // of the path, where the route's ends in '*'
  Asked asked;
  std::shared_ptr<Reply> reply;
};

struct Route {
  std::string method, path;  // "/v1/models/*": whatever follows
  Dialect dialect;
  std::string doc;
  Fields fields = {};
  // Answers, at once or later, on the thread that reads requests; what it throws becomes the answer.
  std::function<void(Service&, Call&)> run = {};
  Asked defaults = {};
  bool open = false;  // to those without the key
};

struct RegisterRoute {
  explicit RegisterRoute(Route route);
};

std::vector<const Route*> all_routes();  // by dialect and path
// RequestError 404, or 405 where the path has other methods. `rest` gets what a '*' stands for.
const Route& find_route(const std::string& method, const std::string& path, std::string& rest);
Dialect dialect_of(const std::string& path);  // of a path that is not served either

Response error_response(Dialect dialect, const RequestError& e);
// The body of that: what a stream says where something goes wrong in its midst.
Json error_body(Dialect dialect, const RequestError& e);
Response json_response(const Json& json);

}  // namespace lmc::serve
