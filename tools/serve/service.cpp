#include "tools/serve/service.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <new>

#include "models/text/json_text.h"
#include "tools/cli/console.h"
#include "tools/generate/sampling_flags.h"
#include "tools/system/files.h"

namespace lmc::serve {
namespace {

// What an answer says besides, whoever gives it.
class WithHeaders : public Reply {
 public:
  WithHeaders(std::shared_ptr<Reply> reply, std::vector<std::pair<std::string, std::string>> headers)
      : reply_(std::move(reply)), headers_(std::move(headers)) {}
  const std::string& id() const override { return reply_->id(); }
  void send(Response r) override { reply_->send(with(std::move(r))); }
  void begin(Response r) override { reply_->begin(with(std::move(r))); }
  void piece(std::string bytes) override { reply_->piece(std::move(bytes)); }
  void end() override { reply_->end(); }
  void on_gone(std::function<void()> then) override { reply_->on_gone(std::move(then)); }
  void post(std::function<void()> task) override { reply_->post(std::move(task)); }

 private:
  Response with(Response r) const {
    r.headers.insert(r.headers.end(), headers_.begin(), headers_.end());
    return r;
  }
  std::shared_ptr<Reply> reply_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace

Service::Service(const Engine& engine, Batcher& batcher, ServiceOptions options)
    : engine_(engine),
      batcher_(batcher),
      options_(std::move(options)),
      access_(options_.access),
      structures_(engine),
      created_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()) {
  digest_ = sha256_of_file(engine.bundle().file("manifest.json"));
  try {
    template_.emplace(engine.chat_template());
    template_source_ = find_chat_template(engine.bundle().path)->source;
  } catch (const Error& e) {
    template_error_ = e.what();
  }
}

Service::~Service() { finish(); }

void Service::stop() { stopping_ = true; }

void Service::finish() {
  stop();
  reader_.join();
}

void Service::handle(Request request, std::shared_ptr<Reply> reply) {
  ++requests_;
  if (auto headers = access_.headers(request); !headers.empty())
    reply = std::make_shared<WithHeaders>(std::move(reply), std::move(headers));
  // Of those whose clients have gone by its turn nothing is read: many large ones would keep all others
  // waiting.
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  reply->on_gone([gone] { *gone = true; });
  boost::asio::post(reader_, [this, gone, request = std::move(request), reply = std::move(reply)] {
    if (*gone) return;
    try {
      run(request, reply);
    } catch (const RequestError& e) {
      ++errors_;
      reply->send(error_response(dialect_of(request.path), e));
    }
  });
}

void Service::run(const Request& request, const std::shared_ptr<Reply>& reply) {
  Dialect dialect = dialect_of(request.path);
  try {
    if (stopping_) {
      RequestError e(503, "the server is shutting down", "", "shutting_down");
      e.retry_after = 5;
      throw e;
    }
    if (request.method == "OPTIONS") {
      access_.check(request, true);
      return reply->send({204, "", ""});
    }
    Call call{request, dialect, "", {}, reply};
    access_.check(request, true);  // before anything is told of what there is
    const Route& route = find_route(request.method, request.path, call.rest);
    call.dialect = dialect = route.dialect;
    access_.check(request, route.open);
    call.asked = defaults(route.defaults);
    if (route.method == "POST")
      read_fields(route.fields, dialect == Dialect::openai, parse_ordered_json(request.body, "the body"),
                  call.asked);
    route.run(*this, call);
  } catch (const RequestError& e) {
    ++errors_;
    reply->send(error_response(dialect, e));
  } catch (const Error& e) {
    ++errors_;
    reply->send(error_response(dialect, RequestError(400, e.what())));
  } catch (const std::bad_alloc&) {
    ++errors_;
    reply->send(error_response(dialect, RequestError(503, "out of memory")));
  } catch (const std::exception& e) {
    ++errors_;
    info("{}: {}", reply->id(), e.what());
    reply->send(error_response(dialect, RequestError(500, e.what())));
  }
}

Asked Service::defaults(Asked of_route) const {
  take_advice(
      options_.sampling, [](const std::string&) { return false; }, of_route.options.sampler);
  return of_route;
}

const Tokenizer& Service::tokenizer() const {
  if (const Tokenizer* t = engine_.tokenizer_or_null()) return *t;
  throw RequestError(501, "this model has no tokenizer: only prompts of token ids are taken");
}

const ChatTemplate& Service::chat_template() const {
  if (template_) return *template_;
  throw RequestError(501, template_error_);
}

std::string Service::token_text(int32_t id) const {
  const Tokenizer* t = engine_.tokenizer_or_null();
  if (!t) return std::to_string(id) + " ";
  const std::string bytes = t->token_bytes(id);
  return bytes.empty() ? t->decode(std::vector<int32_t>{id}, false) : bytes;  // a special one's name
}

}  // namespace lmc::serve
