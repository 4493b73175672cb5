#include "tools/hub/hub.h"

#include <algorithm>

#include "tools/hub/answers.h"
#include "tools/hub/url.h"

namespace lmc {
namespace {

std::string escaped_path(const std::string& name) {
  std::string out = percent_encoded(name);
  for (size_t at = out.find("%2F"); at != out.npos; at = out.find("%2F", at)) out.replace(at, 3, "/");
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
  return model_of(answer);
}

void Hub::describe(HttpClient& client, const std::string& commit, RemoteFile& file) const {
  HttpRequest ask = request("/" + id_.repository() + "/resolve/" + commit + "/" + escaped_path(file.name));
  ask.head = true;
  const HttpResponse answer = with_retries(options_.retry, [&] { return client.perform(ask); });
  if (!answer.success() && !is_elsewhere(answer)) refuse(answer, file.name);
  describe_file(answer, file);
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
