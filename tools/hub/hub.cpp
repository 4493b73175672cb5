#include "tools/hub/hub.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/text/json_text.h"
#include "tools/hub/url.h"

namespace lmc {
namespace {

using nlohmann::json;

// A name from the server becomes a path: it must stay below the folder.
void check_name(const std::string& name, const std::string& url) {
  bool good = !name.empty() && name.size() < 1000 &&
              std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 127; });
  for (size_t start = 0; good && start <= name.size();) {
    const size_t end = std::min(name.find('/', start), name.size());
    const std::string part = name.substr(start, end - start);
    good = !part.empty() && part != "." && part != "..";
    start = end + 1;
  }
  if (!good)
    throw Error(url + ": names a file " + json(name).dump(-1, ' ', true, json::error_handler_t::replace) +
                ", which would lie outside the model's folder; nothing is fetched");
}

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || out < 0)
    return std::nullopt;
  return out;
}

// "abc", W/"abc" → abc
std::string bare_etag(std::string text) {
  if (text.starts_with("W/")) text = text.substr(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

bool is_hash(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// What the server says for people, on one line.
std::string server_message(const HttpResponse& r) {
  std::string out = r.header("x-error-message").substr(0, 300);
  std::erase_if(out, [](unsigned char c) { return c < ' ' || c == 127; });
  return out.empty() ? "" : " (" + out + ")";
}

std::string escaped_path(const std::string& name) {
  std::string out = percent_encoded(name);
  for (size_t at = out.find("%2F"); at != out.npos; at = out.find("%2F", at)) out.replace(at, 3, "/");
  return out;
}

RemoteModel parse_model(const std::string& text, const std::string& url) {
  const auto wrong = [&](const std::string& what) {
    return Error(url + ": is not what a hub answers: " + what + "; is HF_ENDPOINT right?");
  };
  json answer;
  try {
    answer = parse_json(text, url);
  } catch (const Error&) {
    throw wrong("no JSON object");
  }
  if (!answer.is_object()) throw wrong("no JSON object");
  const auto sha = answer.find("sha");
  if (sha == answer.end() || !sha->is_string() || !is_commit_hash(sha->get<std::string>()))
    throw wrong("'sha' is not a commit");
  const auto siblings = answer.find("siblings");
  if (siblings == answer.end() || !siblings->is_array()) throw wrong("no list 'siblings'");
  RemoteModel out{*sha, {}};
  for (const json& s : *siblings) {
    if (!s.is_object() || !s.contains("rfilename") || !s["rfilename"].is_string())
      throw wrong("a file without 'rfilename'");
    RemoteFile file{s["rfilename"], -1, ""};
    check_name(file.name, url);
    if (const auto size = s.find("size"); size != s.end() && size->is_number_integer()) file.size = *size;
    out.files.push_back(std::move(file));
  }
  return out;
}

}  // namespace

const RemoteFile* RemoteModel::find(const std::string& name) const {
  const auto it =
      std::find_if(files.begin(), files.end(), [&](const RemoteFile& f) { return f.name == name; });
  return it == files.end() ? nullptr : &*it;
}

Hub::Hub(HubAccess access, HubId id, Options options)
    : access_(std::move(access)), id_(std::move(id)), options_(std::move(options)) {}

HttpRequest Hub::request(const std::string& path) const {
  HttpRequest out;
  out.url = access_.endpoint + path;
  out.token = access_.token;
  out.timeout_seconds = options_.timeout_seconds;
  out.cancelled = options_.retry.cancelled;
  return out;
}

RemoteModel Hub::model(HttpClient& client) const {
  const HttpRequest ask = request("/api/models/" + id_.repository() + "/revision/" +
                                  percent_encoded(id_.revision) + "?blobs=true");
  const HttpResponse answer = with_retries(options_.retry, [&] { return client.perform(ask); });
  if (!answer.success()) refuse(answer, "");
  return parse_model(answer.body, answer.url);
}

void Hub::describe(HttpClient& client, const std::string& commit, RemoteFile& file) const {
  HttpRequest ask = request("/" + id_.repository() + "/resolve/" + commit + "/" + escaped_path(file.name));
  ask.head = true;
  const HttpResponse answer = with_retries(options_.retry, [&] { return client.perform(ask); });
  // Large files lie elsewhere: the redirect itself says what they are.
  const bool elsewhere = answer.status >= 300 && answer.status < 400;
  if (!answer.success() && !elsewhere) refuse(answer, file.name);
  const std::string linked = answer.header("x-linked-etag");
  file.hash = bare_etag(linked.empty() ? answer.header("etag") : linked);
  if (!is_hash(file.hash))
    throw Error(answer.url + ": gives no hash to check the file by (ETag '" + file.hash + "')");
  if (const auto size = whole_number(answer.header("x-linked-size"))) {
    file.size = *size;
  } else if (const auto length = whole_number(answer.header("content-length")); length && !elsewhere) {
    file.size = *length;
  }
  if (file.size < 0) throw Error(answer.url + ": does not say how large the file is");
}

HttpResponse Hub::get(HttpClient& client, const std::string& commit, const RemoteFile& file,
                      HttpRequest ask) const {
  const HttpRequest base =
      request("/" + id_.repository() + "/resolve/" + commit + "/" + escaped_path(file.name));
  ask.url = base.url;
  ask.token = base.token;
  ask.timeout_seconds = base.timeout_seconds;
  ask.cancelled = base.cancelled;
  return client.perform(ask);
}

void Hub::refuse(const HttpResponse& r, const std::string& what) const {
  const std::string who = id_.repository() + (what.empty() ? "" : ": " + what), said = server_message(r);
  const bool revision = r.header("x-error-code") == "RevisionNotFound";
  switch (r.status) {
    case 401:
      throw Error(
          who + ": the hub answers 401" + said +
          (access_.token.empty()
               ? ": there is no such model, or it wants to know who asks; set HF_TOKEN to a token of yours"
               : ": the token in HF_TOKEN (or HF_HOME/token) is not valid"));
    case 403:
      throw Error(who + ": the hub answers 403" + said +
                  ": this token may not read the model; accept its terms at " + access_.endpoint + "/" +
                  id_.repository());
    case 404:
      throw Error(who + ": the hub answers 404" + said + ": there is no such " +
                  (revision       ? "revision '" + id_.revision + "'"
                   : what.empty() ? "model or revision"
                                  : "file"));
    case 429:
      throw Error(who + ": the hub answers 429" + said + ": too many requests; try again later" +
                  (access_.token.empty() ? ", or set HF_TOKEN: limits are higher with one" : ""));
    default:
      throw Error(who + ": " + r.url + " answers " + std::to_string(r.status) + said +
                  (r.status >= 500 ? ": the server is in trouble; try again later" : ""));
  }
}

}  // namespace lmc
