#include "tools/serve/http/message.h"

#include <fmt/format.h>

#include <algorithm>

namespace lmc::serve {
namespace {

bool is_safe(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && byte != '\t');
  });
}

}  // namespace

std::string Request::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string head_of(const Response& r, BodyKind kind, bool keep_alive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", r.status, reason_phrase(r.status));
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (is_safe(name) && is_safe(value)) out += fmt::format("{}: {}\r\n", name, value);
  };
  add("Server", "lmc");
  if (!r.type.empty()) add("Content-Type", r.type);
  for (const auto& [name, value] : r.headers) add(name, value);
  if (kind == BodyKind::chunked) add("Transfer-Encoding", "chunked");
  if (kind == BodyKind::whole || kind == BodyKind::none) add("Content-Length", std::to_string(r.body.size()));
  add("Connection", keep_alive ? "keep-alive" : "close");
  return out + "\r\n";
}

std::string chunk_of(std::string_view piece) {
  return piece.empty() ? "" : fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace lmc::serve
