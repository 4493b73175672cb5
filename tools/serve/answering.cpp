#include "tools/serve/answering.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "tools/cli/console.h"
#include "tools/generate/answer_text.h"

namespace lmc::serve {
namespace {

// Both the batcher's thread and that of the network know it, each its own part.
class Answering : public std::enable_shared_from_this<Answering> {
 public:
  Answering(Service& service, Call& call, const AnswerPlan& plan, std::unique_ptr<AnswerWriter> writer)
      : service_(service),
        reply_(call.reply),
        writer_(std::move(writer)),
        dialect_(call.dialect),
        stream_(call.asked.stream) {
    const auto n = static_cast<size_t>(call.asked.n);
    for (size_t i = 0; i < plan.prompts.size() * n; ++i) {
      Choice c;
      c.index = i;
      c.prompt = i / n;
      c.prompt_tokens = static_cast<int64_t>(plan.prompts[c.prompt].size());
      choices_.push_back(std::move(c));
    }
  }

  size_t size() const { return choices_.size(); }

  // The callbacks of one text.
  void listen(AnswerRequest& request, size_t i, std::unique_ptr<AnswerText> text,
              std::shared_ptr<std::string> shown) {
    struct Making {
      std::unique_ptr<AnswerText> text;
      std::shared_ptr<std::string> shown;  // since the last piece
      std::vector<TokenChoice> tokens;     // likewise
    };
    const auto making = std::make_shared<Making>(Making{std::move(text), std::move(shown), {}});
    const auto self = shared_from_this();
    request.on_prompt = [self, i](int64_t reused) {
      self->reply_->post([self, i, reused] { self->choices_[i].reused_tokens = reused; });
    };
    request.on_token = [self, i, making](const TokenChoice& token) {
      making->tokens.push_back(token);
      const bool go_on = making->text->push(token.id);
      if (!making->shown->empty()) self->hand_over(i, *making->shown, making->tokens);
      return go_on;
    };
    request.on_end = [self, i, making](const Generated& generated, const std::string& error) {
      making->text->finish();
      if (!making->shown->empty() || !making->tokens.empty())
        self->hand_over(i, *making->shown, making->tokens);
      self->reply_->post([self, i, generated, error, stopped = making->text->stopped()] {
        self->choice_ended(i, generated, error, stopped);
      });
    };
  }

  void submitted(std::vector<uint64_t> ids) {
    reply_->post([self = shared_from_this(), ids] {
      self->ids_ = ids;
      self->begin();
    });
    reply_->on_gone([batcher = &service_.batcher(), ids = std::move(ids)] {
      for (const uint64_t id : ids) batcher->cancel(id);
    });
  }

 private:
  // On the batcher's thread.
  void hand_over(size_t i, std::string& text, std::vector<TokenChoice>& tokens) {
    reply_->post([self = shared_from_this(), i, text = std::exchange(text, {}),
                  tokens = std::exchange(tokens, {})] { self->piece(i, text, tokens); });
  }

  // What follows runs on the thread of the network.
  void begin() {
    if (!stream_ || begun_ || done_) return;
    begun_ = true;
    reply_->begin({200, "", writer_->stream_type()});
    reply_->piece(writer_->begin());
  }

  void piece(size_t i, const std::string& text, const std::vector<TokenChoice>& tokens) {
    if (done_) return;
    Choice& c = choices_[i];
    c.text += text;
    c.tokens.insert(c.tokens.end(), tokens.begin(), tokens.end());
    if (!stream_) return;
    begin();
    reply_->piece(writer_->piece(c, text, tokens));
  }

  void choice_ended(size_t i, const Generated& generated, const std::string& error, bool stopped) {
    if (done_) return;
    Choice& c = choices_[i];
    c.ended = true;
    c.generated = generated;
    c.stop_string = stopped;
    if (!error.empty()) return fail(RequestError(500, error));
    if (generated.reason == StopReason::interrupted) {
      RequestError e(503, "the server is shutting down", "", "shutting_down");
      e.retry_after = 5;
      return fail(e);
    }
    if (stream_) {
      begin();
      reply_->piece(writer_->ended(c));
    }
    if (!std::all_of(choices_.begin(), choices_.end(), [](const Choice& each) { return each.ended; })) return;
    done_ = true;
    if (stream_) {
      reply_->piece(writer_->last(choices_));
      reply_->end();
    } else {
      reply_->send(json_response(writer_->whole(choices_)));
    }
  }

  void fail(const RequestError& e) {
    done_ = true;
    for (const uint64_t id : ids_) service_.batcher().cancel(id);
    info("{}: {}", reply_->id(), e.what());
    if (!begun_) return reply_->send(error_response(dialect_, e));
    reply_->piece(writer_->failed(e));
    reply_->end();
  }

  Service& service_;
  std::shared_ptr<Reply> reply_;
  std::unique_ptr<AnswerWriter> writer_;
  Dialect dialect_;
  bool stream_, begun_ = false, done_ = false;
  std::vector<Choice> choices_;
  std::vector<uint64_t> ids_;  // of the batcher
};

GenerateOptions options_of(const Service& service, const Asked& asked, uint64_t seed) {
  GenerateOptions out = asked.options;
  out.sampler.seed = seed;
  if (out.max_tokens < 0) out.max_tokens = INT64_MAX;
  if (!asked.ignore_eos) out.stop_ids = service.bundle_info().eos_ids;
  out.seconds = service.options().seconds;
  return out;
}

void check(Service& service, const AnswerPlan& plan, int64_t texts) {
  if (texts > service.options().most_texts)
    throw RequestError(
        400,
        fmt::format("a request may ask for {} texts at most, not {}", service.options().most_texts, texts),
        "n");
  for (const auto& prompt : plan.prompts) check_prompt(service, prompt, "prompt");
}

}  // namespace

std::string Choice::finish_reason() const {
  switch (generated.reason) {
    case StopReason::max_tokens:
    case StopReason::context:
    case StopReason::timeout:
      return "length";
    default:
      return "stop";
  }
}

void answer(Service& service, Call& call, AnswerPlan plan, std::unique_ptr<AnswerWriter> writer) {
  const Asked& asked = call.asked;
  check(service, plan, static_cast<int64_t>(plan.prompts.size()) * asked.n);
  const auto constraint = service.constraint_for(asked);
  const uint64_t seed = asked.seed ? *asked.seed : std::random_device()();
  const auto answering = std::make_shared<Answering>(service, call, plan, std::move(writer));
  const Tokenizer* tokenizer = service.tokenizer_or_null();
  if (!asked.stops.empty()) service.tokenizer();
  std::vector<uint64_t> ids;
  const auto withdraw = [&] {
    for (const uint64_t id : ids) service.batcher().cancel(id);
  };
  try {
    for (size_t i = 0; i < answering->size(); ++i) {
      AnswerRequest r;
      r.prompt = plan.prompts[i / static_cast<size_t>(asked.n)];
      r.options = options_of(service, asked, seed + i % static_cast<size_t>(asked.n));
      r.top_logprobs = asked.logprobs ? asked.top_logprobs : -1;
      r.options.constraint = constraint;
      const auto shown = std::make_shared<std::string>();
      auto text = std::make_unique<AnswerText>(
          tokenizer, asked.stops, r.options.stop_ids, [shown](const std::string& piece) { *shown += piece; },
          plan.skip_special);
      answering->listen(r, i, std::move(text), shown);
      ids.push_back(service.batcher().submit(std::move(r)));
      if (ids.back() != 0) continue;
      RequestError full(429, "too many requests wait already", "", "queue_full");
      full.retry_after = 1;
      throw full;
    }
  } catch (...) {
    withdraw();
    throw;
  }
  answering->submitted(std::move(ids));
}

std::string server_event(const Json& data) { return "data: " + dump(data) + "\n\n"; }

void check_prompt(Service& service, std::span<const int32_t> prompt, const std::string& field) {
  const int64_t most = service.batcher().context();
  if (prompt.empty()) throw RequestError(400, "the prompt is empty", field);
  if (static_cast<int64_t>(prompt.size()) > most) {
    throw RequestError(400,
                       fmt::format("the prompt has {} tokens, and the context takes {}", prompt.size(), most),
                       field, "context_length_exceeded");
  }
}

std::vector<std::vector<int32_t>> prompts_of(const Service& service, const Json& prompt, int64_t most,
                                             const std::string& field) {
  const auto ids_of = [&](const Json& list) {
    std::vector<int32_t> out;
    try {
      for (const Json& id : list)
        out.push_back(static_cast<int32_t>(whole_in(id, 0, service.plan().vocab - 1)));
    } catch (const RequestError& e) {
      throw RequestError(400, std::string("a token id ") + e.what(), field);
    }
    return out;
  };
  const auto one = [&](const Json& p) -> std::vector<int32_t> {
    if (p.is_array()) return ids_of(p);
    if (!p.is_string()) throw RequestError(400, "a prompt must be a string or a list of token ids", field);
    const std::string& text = p.get_ref<const std::string&>();
    std::vector<int32_t> out = service.tokenizer().encode(text, true);
    if (out.empty()) out = service.bundle_info().bos_ids;
    return out;
  };
  if (prompt.is_array() && !prompt.empty() && !prompt[0].is_number()) {
    std::vector<std::vector<int32_t>> out;
    if (static_cast<int64_t>(prompt.size()) > most)
      throw RequestError(
          400, fmt::format("a request may have {} prompts at most, not {}", most, prompt.size()), field);
    for (const Json& p : prompt) out.push_back(one(p));
    return out;
  }
  return {one(prompt)};
}

}  // namespace lmc::serve
