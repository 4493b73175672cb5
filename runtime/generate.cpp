#include "runtime/generate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ir/error.h"
#include "ir/seconds.h"
#include "runtime/draft.h"
#include "runtime/restriction.h"
#include "runtime/time_limit.h"

namespace lmc {
namespace {

std::vector<int32_t> joined(const std::vector<int32_t>& before, std::span<const int32_t> prompt) {
  std::vector<int32_t> out = before;
  out.insert(out.end(), prompt.begin(), prompt.end());
  return out;
}

class Generation {
 public:
  Generation(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
             const std::function<bool(int32_t)>& on_token)
      : session_(session),
        options_(options),
        drafter_(options.drafter),
        text_(options, session.vocab(), session.context(), joined(session.tokens(), prompt)),
        on_token_(on_token),
        learnt_(text_.sequence().size()) {
    if (!drafter_) return;
    draft_.emplace(*drafter_);
    for (const int32_t token : text_.sequence()) draft_->read(token);
  }

  Generated run(std::span<const int32_t> prompt) {
    const TimeLimit limit(session_, text_.deadline());
    bool go_on = session_.forward(prompt, Rows::last, [&](int64_t, int64_t, const float* logits) {
      if (options_.on_prompt) options_.on_prompt();
      choose(logits);
    });
    add_forced();
    learn();
    while (go_on && !text_.ended()) {
      const auto begin = Continuation::Clock::now();
      const Fed fed = extend(go_on);
      if (drafter_) drafter_->took(fed.rows, fed.guesses, seconds_since(begin) - fed.guessing);
      add_forced();
      learn();
    }
    if (!text_.ended()) text_.end(session_.late() ? StopReason::timeout : StopReason::interrupted);
    return std::move(text_.result());
  }

 private:
  // Feeds what was chosen or forced last and the guesses behind it. The logits behind each guess count only
  // if all guesses up to it were what the model chose. `go_on` is false if the session was stopped.
  struct Fed {
    size_t rows, guesses;
    double guessing;  // seconds that the model took for guesses
  };
  Fed extend(bool& go_on) {
    const auto fed = session_.position();  // the whole sequence but its last tokens
    std::vector<int32_t> tokens(text_.sequence().begin() + fed, text_.sequence().end());
    std::vector<int32_t> guess;
    if (drafter_ && tokens.size() == 1) {
      const Drafter::Asker asker{&*draft_, room()};
      guess = std::move(drafter_->guess({&asker, 1}, 1, asker.room)[0]);
    }
    const auto begin = Continuation::Clock::now();
    const size_t asked = guess.empty() && tokens.size() == 1 && drafter_ ? drafter_->by_model(room()) : 0;
    if (asked > 0) guess = guesses_of_model(tokens[0], asked, fed);
    if (asked == 0 && drafter_) drafter_->model_guessed(0, 0, 0);
    const double guessing = asked > 0 ? seconds_since(begin) : 0;
    text_.cut(guess);
    tokens.insert(tokens.end(), guess.begin(), guess.end());
    // Behind a guess other ids are allowed than here; behind none, only these rows of weights are read.
    const IdSet* const allowed = guess.empty() ? text_.allowed() : nullptr;
    const Restriction restriction(session_, allowed);
    if (guess.empty() && text_.only_greedy()) {
      const std::optional<int32_t> id = session_.next(tokens);
      if (id) text_.accept(*id);
      text_.tell(on_token_);
      go_on = id.has_value();
      return {tokens.size(), 0, guessing};
    }
    size_t right = 0;
    bool wrong = false;
    if (session_.asks() && (guess.empty() || !text_.keeps_to_something())) {
      go_on = ask(tokens, guess, allowed != nullptr, right);
      return verified(tokens.size(), guess.size(), right, fed, guessing);
    }
    if (text_.only_greedy() && !text_.keeps_to_something()) {
      go_on = verify_likeliest(tokens, guess, right);
      if (asked > 0 && go_on) drafter_->model_guessed(asked, right, guessing);
      return verified(tokens.size(), guess.size(), right, fed, guessing);
    }
    const auto sink = [&](int64_t, int64_t rows, const float* logits) {
      for (int64_t r = 0; r < rows && !wrong && !text_.ended(); ++r) {
        choose(logits + r * session_.vocab(), allowed != nullptr);
        wrong = !is_right(guess, right);
        right += wrong ? 0 : 1;
      }
    };
    go_on = session_.forward(tokens, guess.empty() ? Rows::last : Rows::all, sink);
    if (asked > 0 && go_on) drafter_->model_guessed(asked, right, guessing);
    return verified(tokens.size(), guess.size(), right, fed, guessing);
  }

  // Guesses stand behind one token and take one step with it. False if stopped.
  bool verify_likeliest(std::span<const int32_t> tokens, std::span<const int32_t> guess, size_t& right) {
    std::vector<StepRow> rows;
    for (const int32_t token : tokens) rows.push_back({&session_.sequence(), token});
    const auto found = session_.likeliest(rows);
    for (bool more = found.has_value(); more;) {
      text_.accept((*found)[right].token());
      text_.tell(on_token_);
      more = is_right(guess, right);
      right += more ? 1 : 0;
    }
    return found.has_value();
  }

  bool is_right(std::span<const int32_t> guess, size_t at) const {
    return !text_.ended() && at < guess.size() && text_.sequence().back() == guess[at];
  }

  // Behind `fed` tokens so many were fed, of which the last were guesses, and so many of these `right`.
  Fed verified(size_t tokens, size_t guesses, size_t right, int64_t fed, double guessing) {
    text_.result().drafted += static_cast<int64_t>(guesses);
    text_.result().accepted += static_cast<int64_t>(right);
    const int64_t valid = fed + static_cast<int64_t>(tokens - guesses + right);
    if (session_.position() > valid && !session_.roll_back(valid)) {
      throw Error("the KV cache cannot take back rejected guesses; compile the bundle again");
    }
    return {tokens, guesses, guessing};
  }

  // Where the logits lie on several ranks: chooses by what these tell of theirs. False if stopped.
  bool ask(std::span<const int32_t> tokens, std::span<const int32_t> guess, bool restricted, size_t& right) {
    const size_t all = tokens.size(), most = static_cast<size_t>(session_.block());
    const size_t front = all > most ? all - most : 0;  // of forced tokens, which may be many
    const auto length = session_.position() + static_cast<int64_t>(all);
    if (front > 0 &&
        !session_.forward(tokens.first(front), Rows::none, {}, static_cast<int64_t>(all - front)))
      return false;
    std::vector<StepRow> rows;
    for (size_t i = front; i < all; ++i)
      rows.push_back({&session_.sequence(), tokens[i], i + guess.size() + 1 >= all, length});
    std::vector<LogitRequest> requests;
    for (size_t i = 0; i <= guess.size(); ++i)
      requests.push_back(text_.request(session_.vocab(), guess.first(i)));
    const auto logits = session_.ask_rows(rows, std::move(requests));
    for (bool more = logits.has_value(); more;) {
      text_.choose(*logits, static_cast<int64_t>(right), restricted);
      text_.tell(on_token_);
      more = is_right(guess, right);
      right += more ? 1 : 0;
    }
    return logits.has_value();
  }

  // By the step of fewer bytes; the sequence is left as it was.
  std::vector<int32_t> guesses_of_model(int32_t token, size_t most, int64_t fed) {
    std::vector<int32_t> out;
    while (out.size() < most) {
      std::optional<int32_t> id;
      if (text_.only_greedy()) {
        id = session_.guess(session_.sequence(), token);
      } else if (const auto logits = session_.guess_logits(session_.sequence(), token)) {
        id = text_.guess(*logits, out);
      }
      if (!id) break;  // stopped
      out.push_back(*id);
      token = *id;
    }
    if (!session_.roll_back(fed))
      throw Error("the KV cache cannot take back guesses; compile the bundle again");
    return out;
  }

  // For guesses: one step's worth at most, and no more than may still come out.
  size_t room() {
    const int64_t left = options_.max_tokens - static_cast<int64_t>(text_.result().ids.size());
    const int64_t rows = std::min({session_.block(), session_.most_logits(), left, session_.room()});
    return static_cast<size_t>(std::clamp<int64_t>(rows - 1, 0, most_taken_back(session_.plan())));
  }

  // The drafter sees every token once.
  void learn() {
    const std::vector<int32_t>& all = text_.sequence();
    for (; drafter_ && learnt_ < all.size(); ++learnt_) draft_->add(all[learnt_]);
  }

  void choose(const float* logits, bool restricted = false) {
    text_.choose({logits, static_cast<size_t>(session_.vocab())}, restricted);
    text_.tell(on_token_);
  }

  void add_forced() {
    text_.add_forced();
    text_.tell(on_token_);
  }

  Session& session_;
  const GenerateOptions& options_;
  Drafter* drafter_;
  std::optional<DraftText> draft_;
  Continuation text_;
  const std::function<bool(int32_t)>& on_token_;
  size_t learnt_;  // tokens of the sequence that the drafter knows
};

}  // namespace

Generated generate(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(int32_t)>& on_token) {
  if (options.max_tokens <= 0) return {};
  return Generation(session, prompt, options, on_token).run(prompt);
}

}  // namespace lmc
