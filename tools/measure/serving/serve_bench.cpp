#include "tools/measure/serving/serve_bench.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/machine/statistics.h"
#include "tools/system/child.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

double per_second(int64_t count, const ServerSpeed& s) {
  return s.seconds > 0 ? static_cast<double>(count) / s.seconds : 0;
}

// As `lmc bench` has it: percentiles between neighbours in proportion.
Json spread(const std::vector<double>& seconds) {
  if (seconds.empty()) return nullptr;
  const auto ms = [&](double p) { return percentile(seconds, p) * 1e3; };
  return {
      {"p50", ms(0.5)}, {"p90", ms(0.9)}, {"p99", ms(0.99)}, {"max", ms(1)}, {"mean", mean(seconds) * 1e3}};
}

std::string row(const char* what, const std::vector<double>& seconds) {
  if (seconds.empty()) return fmt::format("| {} | | | | |\n", what);
  const auto ms = [&](double p) { return percentile(seconds, p) * 1e3; };
  return fmt::format("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |\n", what, ms(0.5), ms(0.9), ms(0.99), ms(1));
}

void print(const std::string& server, const Traffic& traffic, const ServerSpeed& speed, bool json) {
  fmt::print("{}", (json ? server_speed_json : server_speed_text)(server, traffic, speed));
}

}  // namespace

void bench_server(const ServerTarget& target, const Traffic& traffic, bool json) {
  print(target.url, traffic, measure_server(target, traffic), json);
}

void bench_bundle_served(const std::string& bundle, const std::vector<std::string>& flags,
                         const Traffic& traffic, bool json) {
  std::vector<std::string> arguments = {"serve", bundle, "--port", "0"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  LmcProcess server(arguments);
  const ServerSpeed speed = measure_server({server.said("listening on "), ""}, traffic);
  server.end();
  print(bundle, traffic, speed, json);
}

std::string server_speed_text(const std::string& server, const Traffic& t, const ServerSpeed& s) {
  std::string out =
      fmt::format("{}: {} requests by {} clients{} in {:.2f} s", server, t.requests.size(), t.clients,
                  t.rate > 0 ? fmt::format(", {:g} a second", t.rate) : "", s.seconds);
  if (s.refused > 0) out += fmt::format("; {} were refused", s.refused);
  out += fmt::format(
      "\n\n| | tokens | of them reused | tokens/s |\n|---|--:|--:|--:|\n| answers | {} | | {:.2f} |\n| "
      "prompts | "
      "{} | {} | {:.2f} |\n\n| ms | p50 | p90 | p99 | max |\n|---|--:|--:|--:|--:|\n",
      s.answer_tokens, per_second(s.answer_tokens, s), s.prompt_tokens, s.reused_tokens,
      per_second(s.prompt_tokens, s));
  return out + row("until the first token", s.first) + row("between tokens", s.between) +
         row("whole answer", s.whole);
}

std::string server_speed_json(const std::string& server, const Traffic& t, const ServerSpeed& s) {
  const Json out = {{"server", server},
                    {"clients", t.clients},
                    {"rate", t.rate > 0 ? Json(t.rate) : Json()},
                    {"requests", t.requests.size()},
                    {"answered", s.answered},
                    {"refused", s.refused},
                    {"seconds", s.seconds},
                    {"prompt_tokens", s.prompt_tokens},
                    {"reused_tokens", s.reused_tokens},
                    {"answer_tokens", s.answer_tokens},
                    {"requests_per_second", per_second(s.answered, s)},
                    {"prompt_tokens_per_second", per_second(s.prompt_tokens, s)},
                    {"answer_tokens_per_second", per_second(s.answer_tokens, s)},
                    {"first_token_ms", spread(s.first)},
                    {"between_tokens_ms", spread(s.between)},
                    {"answer_ms", spread(s.whole)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lmc
