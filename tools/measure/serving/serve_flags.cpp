#include "tools/measure/serving/serve_flags.h"

#include <algorithm>

#include "tools/cli/console.h"
#include "tools/serve/access.h"

namespace lmc {
namespace {

constexpr int kUsualClients = 8;

}  // namespace

void ServeFlags::check_unused() const {
  if (!url.empty() || !key_file.empty() || !requests.empty() || clients > 0 || rate > 0 || count > 0)
    throw UsageError("--clients, --rate, --requests, --count, --url and --api-key-file go with --serve");
}

Traffic ServeFlags::traffic(const std::vector<int64_t>& prompts, const std::vector<int64_t>& answers) const {
  std::vector<TrafficRequest> kinds;
  if (!requests.empty()) {
    kinds = read_traffic(requests);
  } else {
    for (const int64_t p : prompts) {
      for (const int64_t a : answers) kinds.push_back({p, a});
    }
    if (std::any_of(kinds.begin(), kinds.end(), [](const auto& k) { return k.prompt < 1 || k.answer < 1; }))
      throw UsageError("--serve: a prompt and an answer have one token or more (-p, -n)");
  }
  Traffic out{.clients = clients > 0 ? clients : kUsualClients, .rate = rate};
  const int64_t usual = requests.empty() ? int64_t{4} * out.clients : static_cast<int64_t>(kinds.size());
  for (int64_t i = 0; i < (count > 0 ? count : usual); ++i)
    out.requests.push_back(kinds[static_cast<size_t>(i) % kinds.size()]);
  return out;
}

ServerTarget ServeFlags::target() const {
  return {url.substr(0, url.find_last_not_of('/') + 1),
          key_file.empty() ? "" : serve::read_keys(key_file)[0]};
}

void add_serve_flags(Flags& flags, ServeFlags& values) {
  flags.flag("--serve", values.wanted,
             "how lmc serve answers many clients: tokens a second, times of tokens");
  flags
      .option("--clients", values.clients,
              "of --serve: requests under way at most; each client sends the next when its last is answered "
              "(default: 8)")
      .range(1, 1024);
  flags
      .option("--rate", values.rate,
              "of --serve: requests that arrive a second, at random (default: when a client is free)")
      .positive();
  flags
      .option(
          "--requests", values.requests,
          "of --serve: lengths in JSON lines, {\"prompt_tokens\": 512, \"answer_tokens\": 64}, instead of "
          "-p and -n")
      .type_name("FILE");
  flags.option("--count", values.count, "of --serve: requests in all (default: the file's, or 4 a client)")
      .range(1, 1 << 20);
  flags.option("--url", values.url,
               "of --serve: a server that runs, http://127.0.0.1:8080, instead of a bundle");
  flags.option("--api-key-file", values.key_file, "of --serve --url: the first key in it is sent as bearer")
      .type_name("FILE");
}

}  // namespace lmc
