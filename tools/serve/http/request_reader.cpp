// Beast 300 asserts that five bytes of a last chunk are there when it looks at one again, and does without
// them: bytes may come one by one.
#define BOOST_DISABLE_ASSERTS
#include "tools/serve/http/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>

namespace lmc::serve {
namespace {

namespace http = boost::beast::http;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Refused refusal(const boost::system::error_code& e, const HttpLimits& limits) {
  if (e == http::error::header_limit)
    return {431, "the header of a request may have " + std::to_string(limits.header) + " bytes at most"};
  if (e == http::error::body_limit)
    return {413, "the body of a request may have " + std::to_string(limits.body) + " bytes at most"};
  if (e == http::error::bad_version) return {505, "HTTP/1.1 and HTTP/1.0 are spoken here"};
  return {400, "not a request of HTTP: " + e.message()};
}

}  // namespace

struct RequestReader::Parser {
  explicit Parser(const HttpLimits& limits) {
    http.header_limit(static_cast<std::uint32_t>(limits.header));
    http.body_limit(limits.body);
    http.eager(true);
  }
  http::request_parser<http::string_body> http;
};

RequestReader::RequestReader(const HttpLimits& limits)
    : limits_(limits), parser_(std::make_unique<Parser>(limits)) {}
RequestReader::~RequestReader() = default;

bool RequestReader::begun() const { return parser_->http.got_some() || !pending_.empty(); }

size_t RequestReader::bytes() const { return pending_.size() + parser_->http.get().body().size(); }

void RequestReader::feed(std::string_view bytes) {
  pending_ += bytes;
  read();
}

void RequestReader::read() {
  // Empty lines before a request are the rest of a careless client's last one (RFC 9112, 2.2).
  if (!parser_->http.got_some())
    pending_.erase(0, std::min(pending_.find_first_not_of("\r\n"), pending_.size()));
  while (!complete_ && !pending_.empty()) {
    boost::system::error_code e;
    const size_t used = parser_->http.put(boost::asio::buffer(pending_), e);
    pending_.erase(0, used);
    complete_ = parser_->http.is_done();
    if (e && e != http::error::need_more) throw refusal(e, limits_);
    if (complete_ || used > 0) continue;
    // What the parser cannot use yet is a line without its end.
    if (pending_.size() > limits_.header) throw refusal(http::error::header_limit, limits_);
    break;
  }
}

bool RequestReader::wants_continue() {
  if (continued_ || complete_ || !parser_->http.is_header_done()) return false;
  continued_ = true;
  return lower({parser_->http.get()[http::field::expect].data(),
                parser_->http.get()[http::field::expect].size()}) == "100-continue";
}

Request RequestReader::take() {
  auto message = parser_->http.release();
  Request out;
  out.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t question = std::min(target.find('?'), target.size());
  out.path = target.substr(0, question);
  out.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message)
    out.headers.insert_or_assign(lower({field.name_string().data(), field.name_string().size()}),
                                 std::string(field.value()));
  out.keep_alive = message.keep_alive();
  out.chunks = message.version() >= 11;
  out.body = std::move(message.body());
  parser_ = std::make_unique<Parser>(limits_);
  complete_ = continued_ = false;
  return out;
}

}  // namespace lmc::serve
