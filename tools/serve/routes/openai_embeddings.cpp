// POST /v1/embeddings: the mean of the last hidden states of a text's tokens.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <bit>

#include "tools/cli/console.h"
#include "tools/serve/routes/openai.h"

namespace lmc::serve::openai_embeddings_route {
namespace {

static_assert(std::endian::native == std::endian::little);  // as clients read the floats

constexpr int64_t kMostInputs = 2048;  // as OpenAI has it

std::string base64(const std::vector<float>& values) {
  const size_t bytes = values.size() * sizeof(float);
  std::string out(4 * ((bytes + 2) / 3) + 1, '\0');  // it writes a zero behind
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(values.data()), static_cast<int>(bytes));
  out.resize(static_cast<size_t>(size));
  return out;
}

// One token after the other, so that it does not matter in which steps they come.
struct Mean {
  explicit Mean(int64_t size) : sums(static_cast<size_t>(size)) {}

  void add(std::span<const float> states) {
    for (size_t i = 0; i < states.size(); ++i) sums[i % sums.size()] += static_cast<double>(states[i]);
  }
  std::vector<float> of(size_t tokens) const {
    std::vector<float> out;
    for (const double sum : sums) out.push_back(static_cast<float>(sum / static_cast<double>(tokens)));
    return out;
  }

  std::vector<double> sums;
};

// The inputs of a request, as many at a time as there are slots; by the thread of the network, but for the
// sums.
class Embedding : public std::enable_shared_from_this<Embedding> {
 public:
  Embedding(Service& service, const Call& call, std::vector<std::vector<int32_t>> inputs)
      : service_(service),
        reply_(call.reply),
        model_(model_name(service, call.asked)),
        base64_(call.asked.base64),
        inputs_(std::move(inputs)),
        means_(inputs_.size()),
        most_(service.batcher().stats().slots.size()) {}

  void start() {
    reply_->post([self = shared_from_this()] { self->submit_more(); });
    reply_->on_gone([self = shared_from_this()] { self->end(); });
  }

 private:
  void submit_more() {
    try {
      while (!done_ && next_ < inputs_.size() && ids_.size() < most_ && submit(next_)) ++next_;
    } catch (const RequestError& e) {
      fail(e);
    } catch (const Error& e) {
      fail(RequestError(400, e.what()));
    }
  }

  // False where the queue is full for now.
  bool submit(size_t i) {
    AnswerRequest r;
    r.prompt = inputs_[i];
    r.options.seconds = service_.options().seconds;
    const auto mean = std::make_shared<Mean>(service_.plan().hidden_size);
    r.on_hidden = [mean](std::span<const float> states) { mean->add(states); };
    const auto id = std::make_shared<uint64_t>(0);
    r.on_end = [self = shared_from_this(), i, mean, id](const Generated& g, const std::string& error) {
      self->reply_->post([self, i, mean, id, reason = g.reason, error] {
        std::erase(self->ids_, *id);
        self->ended(i, *mean, reason, error);
      });
    };
    *id = service_.batcher().submit(std::move(r));
    if (*id != 0) {
      ids_.push_back(*id);
      return true;
    }
    if (!ids_.empty()) return false;
    RequestError full(429, "too many requests wait already", "", "queue_full");
    full.retry_after = 1;
    throw full;
  }

  void ended(size_t i, const Mean& mean, StopReason reason, const std::string& error) {
    if (done_) return;
    if (!error.empty()) return fail(RequestError(500, error));
    if (reason == StopReason::timeout) return fail(RequestError(503, "there was not enough time"));
    if (reason != StopReason::max_tokens) {
      RequestError e(503, "the server is shutting down", "", "shutting_down");
      e.retry_after = 5;
      return fail(e);
    }
    means_[i] = mean.of(inputs_[i].size());
    if (++ended_ < inputs_.size()) return submit_more();
    done_ = true;
    Json data = Json::array();
    size_t tokens = 0;
    for (size_t k = 0; k < inputs_.size(); ++k) {
      data.push_back({{"object", "embedding"},
                      {"index", k},
                      {"embedding", base64_ ? Json(base64(means_[k])) : Json(means_[k])}});
      tokens += inputs_[k].size();
    }
    reply_->send(json_response({{"object", "list"},
                                {"data", std::move(data)},
                                {"model", model_},
                                {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}));
  }

  void fail(const RequestError& e) {
    info("{}: {}", reply_->id(), e.what());
    end();
    reply_->send(error_response(Dialect::openai, e));
  }

  void end() {
    done_ = true;
    for (const uint64_t id : ids_) service_.batcher().cancel(id);
  }

  Service& service_;
  std::shared_ptr<Reply> reply_;
  std::string model_;
  bool base64_, done_ = false;
  std::vector<std::vector<int32_t>> inputs_;
  std::vector<std::vector<float>> means_;  // by input
  size_t most_, next_ = 0, ended_ = 0;
  std::vector<uint64_t> ids_;  // of the batcher, that are under way
};

void run(Service& service, Call& call) {
  const int64_t size = service.plan().hidden_size;
  if (size == 0) throw RequestError(501, "this bundle was compiled without embeddings: compile it again");
  if (call.asked.dimensions && *call.asked.dimensions != size)
    throw RequestError(400, fmt::format("this model's embeddings have {} dimensions", size), "dimensions");
  if (call.asked.prompt.is_null()) throw RequestError(400, "there is no input", "input");
  auto inputs = prompts_of(service, call.asked.prompt, kMostInputs, "input");
  for (const auto& input : inputs) check_prompt(service, input, "input");
  std::make_shared<Embedding>(service, call, std::move(inputs))->start();
}

const RegisterRoute kRoute({"POST",
                            "/v1/embeddings",
                            Dialect::openai,
                            "the mean of the last hidden states of each input's tokens",
                            {any("input", &Asked::prompt, "string, ids, or a list of these", "what to embed"),
                             text("model", &Asked::model, "any name: there is one model"),
                             field("encoding_format", "string",
                                   "base64 (the default): little-endian floats; or float: a list",
                                   [](const Json& v, Asked& a) {
                                     if (text_in(v) != "base64" && text_in(v) != "float")
                                       throw RequestError(400, "must be base64 or float");
                                     a.base64 = text_in(v) == "base64";
                                   }),
                             field("dimensions", "integer", "of the vectors: there is one size",
                                   [](const Json& v, Asked& a) { a.dimensions = whole_in(v, 1, INT64_MAX); }),
                             ignored("user", "for the caller's own use")},
                            run});

}  // namespace
}  // namespace lmc::serve::openai_embeddings_route
