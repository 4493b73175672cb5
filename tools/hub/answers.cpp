#include "tools/hub/answers.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/text/json_text.h"

namespace lmc {
namespace {

using nlohmann::json;

// 16 TB: sums over all files of a model stay far from the end of int64_t.
constexpr int64_t kLargestFile = int64_t{1} << 44;

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

}  // namespace

RemoteModel model_of(const HttpResponse& response) {
  const std::string& url = response.url;
  const auto wrong = [&](const std::string& what) {
    return Error(url + ": is not what a hub answers: " + what + "; is HF_ENDPOINT right?");
  };
  json answer;
  try {
    answer = parse_json(response.body, url);
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

bool is_elsewhere(const HttpResponse& answer) { return answer.status >= 300 && answer.status < 400; }

void describe_file(const HttpResponse& answer, RemoteFile& file) {
  const std::string linked = answer.header("x-linked-etag");
  file.hash = bare_etag(linked.empty() ? answer.header("etag") : linked);
  if (!is_hash(file.hash))
    throw Error(answer.url + ": gives no hash to check the file by (ETag '" + file.hash + "')");
  if (const auto size = whole_number(answer.header("x-linked-size"))) {
    file.size = *size;
  } else if (const auto length = whole_number(answer.header("content-length"));
             length && !is_elsewhere(answer)) {
    file.size = *length;
  }
  if (file.size < 0) throw Error(answer.url + ": does not say how large the file is");
  if (file.size > kLargestFile)
    throw Error(answer.url + ": says the file has " + std::to_string(file.size) +
                " bytes, which no file has");
}

std::string server_message(const HttpResponse& r) {
  std::string out = r.header("x-error-message").substr(0, 300);
  std::erase_if(out, [](unsigned char c) { return c < ' ' || c == 127; });
  return out.empty() ? "" : " (" + out + ")";
}

}  // namespace lmc
