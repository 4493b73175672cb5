#include "tools/hub/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>

#include "ir/error.h"

namespace lmc {
namespace {

class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) { set(text); }
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  // Absolute, or relative to what it is; false, and nothing changed, if it is neither.
  bool set(const std::string& text) {
    return curl_url_set(handle_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string part(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, part, &text, flags) != CURLUE_OK) return "";
    const std::string out = text;
    curl_free(text);
    return out;
  }
  std::string scheme() const { return part(CURLUPART_SCHEME); }

 private:
  CURLU* handle_;
};

}  // namespace

std::string origin_of(const std::string& url) {
  const Url u(url);
  std::string host = u.part(CURLUPART_HOST);
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  return u.scheme() + "://" + host + ":" + u.part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string redirect_target(const std::string& url, const std::string& location) {
  Url target(url);
  const std::string before = target.scheme();
  const bool good = !location.empty() && target.set(location);
  const std::string after = good ? target.scheme() : "";
  if ((after != "http" && after != "https") || (before == "https" && after == "http"))
    throw Error(shown_url(url) + ": is redirected to '" + shown_url(location) + "', which is not followed");
  return target.part(CURLUPART_URL);
}

std::string shown_url(const std::string& url) {
  std::string out = url.substr(0, std::min(url.find('?'), size_t{300}));
  std::erase_if(out, [](unsigned char c) { return c < ' ' || c == 127; });
  return out;
}

std::string percent_encoded(const std::string& text) {
  char* encoded = curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size()));
  const std::string out = encoded ? encoded : "";
  curl_free(encoded);
  return out;
}

}  // namespace lmc
