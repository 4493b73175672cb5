#include "tools/hub/download.h"

#include <algorithm>
#include <filesystem>

#include "tools/hub/partial.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

// One attempt to get what is missing: a failure leaves what has come.
HttpResponse attempt(HttpClient& client, const Download& d, PartialBlob& partial) {
  const int64_t before = partial.size();
  HttpRequest request;
  request.from = before;
  request.begin = [&](const HttpResponse& answer) {
    if (before == 0) return;
    if (answer.status == 200) {  // this server knows no ranges
      d.arrived(-partial.size());
      partial.restart();
    } else if (!answer.header("content-range").starts_with("bytes " + std::to_string(before) + "-")) {
      throw Error(d.file.name + ": asked for bytes from " + std::to_string(before) + ", the server sends '" +
                  answer.header("content-range") + "'");
    }
  };
  request.sink = [&](std::span<const std::byte> bytes) {
    partial.append(bytes);
    d.arrived(static_cast<int64_t>(bytes.size()));
  };
  HttpResponse answer = d.hub.get(client, d.commit, d.file, request);
  if (answer.success() && !partial.complete()) {
    TransferFailed failed(d.file.name + ": ended after " + std::to_string(partial.size()) + " of " +
                          std::to_string(d.file.size) + " bytes");
    failed.moved = partial.size() - before;
    throw failed;
  }
  return answer;
}

// False if what came has another hash.
bool download_once(HttpClient& client, const Download& d, bool& resumed) {
  PartialBlob partial(d.blob, d.file);
  resumed = partial.size() > 0;
  if (!partial.complete()) {
    Retry retry = d.hub.options().retry;
    retry.gets_on = std::min<int64_t>(1 << 20, d.file.size / 16 + 1);
    const HttpResponse answer = with_retries(retry, [&] { return attempt(client, d, partial); });
    if (!answer.success()) d.hub.refuse(answer, d.file.name);
  }
  if (partial.finish()) return true;
  d.arrived(-d.file.size);
  return false;
}

}  // namespace

int64_t bytes_there(const std::string& blob, const RemoteFile& file) {
  std::error_code ec;
  if (const auto size = fs::file_size(blob, ec); !ec && static_cast<int64_t>(size) == file.size)
    return file.size;
  const auto size = fs::file_size(blob + ".incomplete", ec);
  return ec || static_cast<int64_t>(size) > file.size ? 0 : static_cast<int64_t>(size);
}

void download(HttpClient& client, const Download& d) {
  bool resumed = false;
  if (download_once(client, d, resumed)) return;
  // The beginning may have been of another time; from the first byte on there is no such excuse.
  if (resumed && download_once(client, d, resumed)) return;
  throw Error(d.file.name + ": what came does not have the hash " + d.file.hash +
              " that the hub gives; it is thrown away");
}

}  // namespace lmc
