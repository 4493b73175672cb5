#include "tools/hub/http.h"

#include <curl/curl.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>

#include "tools/cli/console.h"
#include "tools/hub/header_line.h"
#include "tools/hub/url.h"

namespace lmc {
namespace {

constexpr size_t kMostBody = size_t{64} << 20;
constexpr int kMostRedirects = 10;

// What the callbacks of one transfer share.
struct Transfer {
  Transfer(const HttpRequest& r, CURL* c) : request(r), curl(c) {}
  const HttpRequest& request;
  CURL* curl;
  HttpResponse response;
  bool begun = false, silent = false;
  int64_t moved = 0;
  curl_off_t received = 0;
  std::chrono::steady_clock::time_point last_moved = std::chrono::steady_clock::now();
  std::exception_ptr thrown;  // exceptions must not pass through C
};

size_t on_header(char* data, size_t, size_t size, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  try {
    read_header_line(t.response, {data, size});
    return size;
  } catch (...) {
    t.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

// The status is known before the first piece of the body.
void begin(Transfer& t) {
  if (t.begun) return;
  t.begun = true;
  long status = 0;
  curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
  t.response.status = static_cast<int>(status);
  if (t.response.success() && t.request.begin) t.request.begin(t.response);
}

size_t on_body(char* data, size_t, size_t size, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  try {
    begin(t);
    if (t.response.success() && t.request.sink) {
      t.request.sink(std::as_bytes(std::span(data, size)));
      t.moved += static_cast<int64_t>(size);
    } else if (t.response.body.size() + size <= kMostBody) {
      t.response.body.append(data, size);
    } else if (t.response.success()) {
      throw Error(t.response.url + ": the answer is longer than it may be");
    }
    return size;
  } catch (...) {
    t.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

// libcurl's own limit on slow transfers looks at an average over seconds, so silence is measured here.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto& t = *static_cast<Transfer*>(user);
  const auto now = std::chrono::steady_clock::now();
  if (received != t.received) t.last_moved = now;
  t.received = received;
  t.silent = now - t.last_moved >= std::chrono::seconds(t.request.timeout_seconds);
  return t.silent || (t.request.cancelled && t.request.cancelled()) ? 1 : 0;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

[[noreturn]] void fail(const Transfer& t, CURLcode code, const char* details) {
  if (t.thrown) std::rethrow_exception(t.thrown);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code == CURLE_ABORTED_BY_CALLBACK && !t.silent) throw Interrupted();
  std::string why = *details != '\0' ? details : curl_easy_strerror(code);
  if (t.silent || code == CURLE_OPERATION_TIMEDOUT)
    why = "nothing came for " + std::to_string(t.request.timeout_seconds) + " s";
  // These do not pass by themselves.
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
      code == CURLE_PEER_FAILED_VERIFICATION)
    throw Error(t.response.url + ": " + why);
  TransferFailed failed(t.response.url + ": " + why);
  failed.moved = t.moved;
  throw failed;
}

// Texts are copied: without memory for one the transfer would be another than was asked for.
template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  if (curl_easy_setopt(curl, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

struct HeaderLines {
  HeaderLines() = default;
  ~HeaderLines() { curl_slist_free_all(list); }
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  }
  curl_slist* list = nullptr;
};

}  // namespace

struct HttpClient::Handle {
  Handle() : curl(curl_easy_init()) {
    if (curl == nullptr) throw std::bad_alloc();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  CURL* curl;
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient() {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kReady != CURLE_OK) throw Error("libcurl cannot be used");
  handle_ = std::make_unique<Handle>();
}

HttpClient::~HttpClient() = default;

std::string HttpResponse::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

HttpResponse HttpClient::perform(const HttpRequest& request) {
  const std::string home = origin_of(request.url);
  std::map<std::string, std::string> headers;  // of all hops, later ones first
  std::string url = request.url;
  for (int hop = 0; hop <= kMostRedirects; ++hop) {
    HttpResponse response = one_hop(request, url, origin_of(url) == home);
    const std::string location = response.header("location");
    response.headers.merge(headers);
    if (!is_redirect(response.status) || !request.json.empty()) return response;
    url = redirect_target(url, location);
    if (request.head && origin_of(url) != home) return response;
    headers = std::move(response.headers);
    for (const char* of_this_hop : {"location", "content-length", "etag"}) headers.erase(of_this_hop);
  }
  throw Error(shown_url(request.url) + ": is redirected again and again");
}

HttpResponse HttpClient::one_hop(const HttpRequest& request, const std::string& url, bool with_token) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);
  Transfer t(request, curl);
  t.response.url = shown_url(url);
  char details[CURL_ERROR_SIZE] = "";
  set(curl, CURLOPT_ERRORBUFFER, details);
  set(curl, CURLOPT_URL, url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_USERAGENT, "lmc");
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.timeout_seconds));
  set(curl, CURLOPT_HEADERFUNCTION, on_header);
  set(curl, CURLOPT_HEADERDATA, &t);
  set(curl, CURLOPT_WRITEFUNCTION, on_body);
  set(curl, CURLOPT_WRITEDATA, &t);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  set(curl, CURLOPT_XFERINFODATA, &t);
  // Where the traffic is looked into, by a company say: libcurl by itself does not heed this variable.
  if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities && *authorities)
    set(curl, CURLOPT_CAINFO, authorities);
  if (request.head) set(curl, CURLOPT_NOBODY, 1L);
  if (request.from > 0) {
    const std::string range = std::to_string(request.from) + "-";
    set(curl, CURLOPT_RANGE, range.c_str());
  }
  // Sizes and hashes are of the file as it is, not of a compressed one.
  HeaderLines headers;
  headers.add("Accept-Encoding: identity");
  if (with_token && !request.token.empty()) headers.add("Authorization: Bearer " + request.token);
  if (!request.json.empty()) {
    headers.add("Content-Type: application/json");
    headers.add("Expect:");  // or it would ask first whether it may
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.json.size()));
    set(curl, CURLOPT_POSTFIELDS, request.json.data());
  }
  if (request.direct) set(curl, CURLOPT_NOPROXY, "*");
  set(curl, CURLOPT_HTTPHEADER, headers.list);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) fail(t, code, details);
  begin(t);
  return std::move(t.response);
}

}  // namespace lmc
