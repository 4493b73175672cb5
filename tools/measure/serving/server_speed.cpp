#include "tools/measure/serving/server_speed.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "models/text/json_text.h"
#include "tools/cli/console.h"
#include "tools/hub/url.h"
#include "tools/hub/workers.h"
#include "tools/measure/serving/answer_stream.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSilence = 600;  // seconds that a server may take for the first token behind all others

class Load {
 public:
  Load(const ServerTarget& target, const Traffic& traffic)
      : target_(target), traffic_(traffic), name_(shown_url(target.url)) {}

  ServerSpeed run() {
    HttpClient client;
    vocab_ = vocabulary(client);
    begin_ = Clock::now();
    TrafficRequest untimed = traffic_.requests[0];
    untimed.shared = 0;
    ask(client, untimed, -1, 0);
    out_ = {};

    const auto count = static_cast<int64_t>(traffic_.requests.size());
    const std::vector<double> due = arrivals(count, traffic_.rate);
    begin_ = Clock::now();
    run_workers(
        traffic_.requests.size(), traffic_.clients, cancel_,
        [&](HttpClient& own, size_t i) {
          wait_until(due[i]);
          const double arrived = traffic_.rate > 0 ? due[i] : now();
          ask(own, traffic_.requests[i], static_cast<int64_t>(i), arrived);
        },
        [] {});
    return std::move(out_);
  }

 private:
  double now() const { return seconds_since(begin_); }

  void wait_until(double due) const {
    for (double left = due - now(); left > 0; left = due - now()) {
      if (cancel_.asked()) throw Interrupted();
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, 0.05)));
    }
  }

  HttpRequest request(const std::string& path) const {
    HttpRequest out;
    out.url = target_.url + path;
    out.token = target_.key;
    out.direct = true;
    out.timeout_seconds = kSilence;
    out.cancelled = cancel_.asked;
    return out;
  }

  // As llama.cpp's server tells it, too.
  int64_t vocabulary(HttpClient& client) const {
    const HttpResponse r = client.perform(request("/v1/models"));
    if (r.status != 200) throw refusal(r);
    const nlohmann::json models = parse_json(r.body, name_ + "/v1/models");
    const auto path = nlohmann::json::json_pointer("/data/0/meta/n_vocab");
    if (!models.is_object() || !models.contains(path) || !models.at(path).is_number_unsigned())
      throw Error(name_ + "/v1/models: does not tell the size of the vocabulary");
    const auto size = models.at(path).get<uint64_t>();
    if (size < 1 || size > INT32_MAX) throw Error(fmt::format("{}: a vocabulary of {} tokens", name_, size));
    return static_cast<int64_t>(size);
  }

  Error refusal(const HttpResponse& r) const {
    std::string why;
    try {
      why = parse_json(r.body, name_).at("error").at("message").get<std::string>();
    } catch (const std::exception&) {  // the status says enough
    }
    return Error(fmt::format("{}: answers {}{}{}", name_, r.status, why.empty() ? "" : ": ", why));
  }

  void ask(HttpClient& client, const TrafficRequest& wanted, int64_t index, double arrived) {
    HttpRequest ask = request("/completion");
    ask.json = nlohmann::json{
        {"prompt", prompt_of(wanted, index, vocab_)},
        {"n_predict", wanted.answer},
        {"temperature", 0},
        {"ignore_eos", true},
        {"stream", true},
        {"return_tokens",
         true}}.dump();
    AnswerStream answer(name_, wanted.answer);
    ask.sink = [&](std::span<const std::byte> bytes) {
      answer.push({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, now());
    };
    const HttpResponse r = client.perform(ask);
    const double ended = now();
    const bool refused = r.status == 429 || r.status == 503;
    if (r.status != 200 && !refused) throw refusal(r);
    if (!refused) answer.finish();
    const std::lock_guard lock(mutex_);
    refused ? void(++out_.refused) : add(wanted, answer, arrived, ended);
    out_.seconds = std::max(out_.seconds, ended);
  }

  void add(const TrafficRequest& asked, const AnswerStream& answer, double arrived, double ended) {
    ++out_.answered;
    out_.prompt_tokens += asked.prompt;
    out_.reused_tokens += answer.reused();
    out_.answer_tokens += answer.tokens();
    out_.whole.push_back(ended - arrived);
    const std::vector<AnswerStream::Piece>& pieces = answer.pieces();
    if (!pieces.empty()) out_.first.push_back(pieces[0].at - arrived);
    for (size_t i = 1; i < pieces.size(); ++i) {
      const auto tokens = static_cast<size_t>(pieces[i].tokens);
      const double each = (pieces[i].at - pieces[i - 1].at) / static_cast<double>(tokens);
      out_.between.insert(out_.between.end(), tokens, each);
    }
  }

  const ServerTarget& target_;
  const Traffic& traffic_;
  const std::string name_;
  Cancel cancel_;
  int64_t vocab_ = 0;
  Clock::time_point begin_;
  std::mutex mutex_;
  ServerSpeed out_;
};

}  // namespace

ServerSpeed measure_server(const ServerTarget& target, const Traffic& traffic) {
  return Load(target, traffic).run();
}

}  // namespace lmc
