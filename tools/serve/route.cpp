#include "tools/serve/route.h"

#include <algorithm>
#include <deque>
#include <tuple>

namespace lmc::serve {
namespace {

std::deque<Route>& table() {
  static std::deque<Route> routes;
  return routes;
}

const char* error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 501:
      return "not_supported_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

RegisterRoute::RegisterRoute(Route route) { table().push_back(std::move(route)); }

std::vector<const Route*> all_routes() {
  std::vector<const Route*> out;
  for (const Route& r : table()) out.push_back(&r);
  std::sort(out.begin(), out.end(), [](const Route* a, const Route* b) {
    return std::tie(a->dialect, a->path, a->method) < std::tie(b->dialect, b->path, b->method);
  });
  return out;
}

const Route& find_route(const std::string& method, const std::string& path, std::string& rest) {
  std::string others;
  for (const Route& r : table()) {
    const bool open_end = r.path.ends_with('*');
    const std::string_view fixed = std::string_view(r.path).substr(0, r.path.size() - (open_end ? 1 : 0));
    if (open_end ? !path.starts_with(fixed) || path.size() == fixed.size() : path != fixed) continue;
    if (r.method == method || (r.method == "GET" && method == "HEAD")) {
      rest = path.substr(fixed.size());
      return r;
    }
    others += (others.empty() ? "" : ", ") + r.method;
  }
  if (!others.empty()) throw RequestError(405, "this path takes " + others + " alone");
  throw RequestError(404, "there is nothing at this path; GET /help lists what there is");
}

Dialect dialect_of(const std::string& path) {
  if (path.starts_with("/api/")) return Dialect::ollama;
  return Dialect::openai;
}

Response json_response(const Json& json) { return {200, dump(json)}; }

Json error_body(Dialect dialect, const RequestError& e) {
  const std::string message = e.what();
  switch (dialect) {
    case Dialect::ollama:
      return {{"error", message}};
    case Dialect::llama_cpp:
      return {{"error", {{"code", e.status}, {"message", message}, {"type", error_type(e.status)}}}};
    default:
      return {{"error",
               {{"message", message},
                {"type", error_type(e.status)},
                {"param", e.param.empty() ? Json() : Json(e.param)},
                {"code", e.code.empty() ? Json() : Json(e.code)}}}};
  }
}

Response error_response(Dialect dialect, const RequestError& e) {
  Response out{e.status, dump(error_body(dialect, e))};
  if (e.retry_after > 0) out.headers.emplace_back("Retry-After", std::to_string(e.retry_after));
  if (e.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

}  // namespace lmc::serve
