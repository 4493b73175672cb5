#include "runtime/session.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "ir/error.h"
#include "runtime/follow.h"
#include "runtime/sampler.h"
#include "runtime/threads.h"
#include "runtime/warm_up.h"

namespace lmc {
namespace {

int64_t block_size(const Plan& plan, int64_t wanted) {
  if (plan.prefill.stages.empty()) return 1;
  return wanted <= 0 ? plan.prefill.max_tokens : std::min(wanted, plan.prefill.max_tokens);
}

const Plan& for_these_ranks(const Plan& plan, const Collective* collective) {
  const int64_t ranks = collective ? collective->ranks() : 1;
  const int64_t rank = collective ? collective->rank() : 0;
  if (plan.ranks != ranks || plan.rank != rank)
    throw Error("the plan is that of rank " + std::to_string(plan.rank) + " of " +
                std::to_string(plan.ranks) + ", but this is rank " + std::to_string(rank) + " of " +
                std::to_string(ranks));
  return plan;
}

std::vector<uint8_t> allowed_bits(const IdSet& ids) {
  return {ids.bits(), ids.bits() + (ids.vocab() + 7) / 8};
}

}  // namespace

Session::Session(const Plan& plan, PlanKernels kernels, const std::vector<const void*>& weights,
                 const SessionOptions& options)
    : plan_(for_these_ranks(plan, options.collective)),
      options_(options),
      weights_(weights),
      block_(block_size(plan, options.block)),
      workers_(options.threads > 0 ? options.threads : default_threads()),
      sequence_(plan),
      stepper_(plan, std::move(kernels), weights, options, workers_),
      leads_(plan.ranks > 1 && plan.rank == 0) {}

Session::~Session() {
  try {
    let_go();
  } catch (const Error&) {  // whoever fails has ended the others
  }
}

void Session::let_go() {
  if (std::exchange(leads_, false)) announce_end(*options_.collective);
}

void Session::follow() {
  Follower follower(plan_, *options_.collective);
  for (;;) {
    const Order order = follower.next();
    if (order.kind == Order::Kind::end) return;
    if (order.kind == Order::Kind::step) {
      follow(order.rows, order.wish);
    } else if (!asks()) {
      throw Error("rank 0 asks about logits, of which this plan has no parts");
    } else if (order.kind == Order::Kind::draw) {
      stepper_.draw(order.draw);
    } else {
      stepper_.gather_logits(order.count);
    }
  }
}

void Session::follow(std::span<const StepRow> rows, const LogitWish& wish) {
  if (!wish.requests.empty() && asks()) {
    stepper_.run_asked(rows, wish.requests);
  } else if (!wish.likeliest && wish.requests.empty()) {
    stepper_.run(rows);
  } else if (!wish.likeliest || stepper_.run_argmax(rows).empty()) {
    throw Error("rank 0 asks for some logits, which this plan cannot tell without all of them");
  }
}

void Session::warm_up(const std::function<void(int64_t done, int64_t total)>& progress) {
  std::vector<std::span<const std::byte>> memory;
  for (size_t i = 0; i < weights_.size(); ++i)
    memory.emplace_back(static_cast<const std::byte*>(weights_[i]),
                        static_cast<size_t>(plan_.weights[i].bytes));
  touch_pages(memory, workers_, progress);
  workers_.wake();
}

std::optional<std::span<const float>> Session::step_rows(std::span<const StepRow> rows) {
  check_rows(rows, plan_);
  return run(rows);
}

std::optional<std::span<const float>> Session::hidden_rows(std::span<const StepRow> rows) {
  if (plan_.hidden.stages.empty())
    throw Error("the model was compiled without the step that hands out its hidden states");
  check_rows(rows, plan_);
  if (!prepare(rows)) return std::nullopt;
  return stepper_.run_hidden(rows);
}

Session::Logits Session::run(std::span<const StepRow> rows) {
  if (!prepare(rows)) return std::nullopt;
  return stepper_.run(rows);
}

std::optional<AskedLogits> Session::ask_rows(std::span<const StepRow> rows,
                                             std::vector<LogitRequest> requests) {
  check_rows(rows, plan_);
  if (!prepare(rows)) return std::nullopt;
  return asked(rows, std::move(requests));
}

Session::StepUnderWay Session::begin_rows(std::span<const StepRow> rows, std::vector<LogitRequest> requests) {
  check_rows(rows, plan_);
  if (!prepare(rows)) return nullptr;
  name_allowed(requests);
  return stepper_.begin_asked(rows, requests);
}

void Session::name_allowed(std::vector<LogitRequest>& requests) const {
  for (LogitRequest& r : requests) {
    if (allowed_ && r.allowed.empty()) r.allowed = allowed_bits(*allowed_);
  }
}

AskedLogits Session::asked(std::span<const StepRow> rows, std::vector<LogitRequest> requests) {
  name_allowed(requests);
  // Of threads that choose for several texts at once, one at a time speaks with the other ranks.
  struct State {
    std::vector<LogitRequest> requests;
    std::mutex mutex;
    std::span<const float> all;
  };
  auto state = std::make_shared<State>();
  state->requests = std::move(requests);
  AskedLogits out;
  out.rows = stepper_.run_asked(rows, state->requests);
  out.draw = [this, state](int64_t row, LogitDraw draw) {
    const std::lock_guard lock(state->mutex);
    draw.row = row;
    draw.allowed = state->requests[static_cast<size_t>(row)].allowed;
    return stepper_.draw(draw);
  };
  out.all = [this, state](int64_t row) {
    const std::lock_guard lock(state->mutex);
    if (state->all.empty()) state->all = stepper_.gather_logits(static_cast<int64_t>(state->requests.size()));
    const auto vocab = static_cast<size_t>(plan_.vocab);
    return state->all.subspan(static_cast<size_t>(row) * vocab, vocab);
  };
  return out;
}

// False if stopped.
bool Session::prepare(std::span<const StepRow> rows) {
  const Sequence* before = nullptr;
  for (const StepRow& row : rows) {
    if (plan_.rope_border == 0) break;
    if (row.sequence == std::exchange(before, row.sequence)) continue;
    const int64_t behind = row.sequence->position() + rows_of(rows, *row.sequence);
    if (!set_length(*row.sequence, row.length > 0 ? row.length : behind)) return false;
  }
  return !stopped();
}

// What comes next belongs to a sequence of `length` positions: feeds its beginning again if that was fed with
// other factors. False if stopped meanwhile.
bool Session::set_length(Sequence& sequence, int64_t length) {
  if (beyond_border(length) == sequence.beyond) return true;
  if (stopped()) return false;
  sequence.beyond = !sequence.beyond;
  const std::vector<int32_t> again = std::move(sequence.tokens);
  sequence.reset();
  return feed(sequence, again, Rows::none, {}, length);
}

bool Session::feed(Sequence& sequence, std::span<const int32_t> tokens, Rows rows, const Sink& sink,
                   int64_t length) {
  const int64_t block = rows == Rows::all ? std::min(block_, most_logits()) : block_;
  std::vector<StepRow> step;
  for (size_t at = 0; at < tokens.size(); at += step.size()) {
    const size_t n = std::min(static_cast<size_t>(block), tokens.size() - at);
    step.clear();
    for (const int32_t token : tokens.subspan(at, n))
      step.push_back({&sequence, token, rows == Rows::all, length});
    if (rows == Rows::last && at + n == tokens.size()) step.back().logits = true;
    const Logits logits = run(step);
    if (!logits) return false;
    const auto wanted = static_cast<int64_t>(logits->size()) / vocab();
    if (wanted > 0) sink(sequence.position() - wanted, wanted, logits->data());
  }
  return true;
}

void Session::set_allowed(const IdSet* ids) {
  if (ids && ids->vocab() != vocab())
    throw Error("the allowed ids are of a vocabulary of " + std::to_string(ids->vocab()) +
                ", the model has " + std::to_string(vocab()));
  if (ids && ids->size() == 0) throw Error("no id is allowed: nothing could be chosen");
  const bool all = ids && ids->size() == vocab();
  allowed_ = all ? nullptr : ids;
  stepper_.set_allowed(allowed_);
}

std::optional<std::vector<Likeliest>> Session::likeliest(std::span<const StepRow> rows) {
  check_rows(rows, plan_);
  if (!prepare(rows)) return std::nullopt;
  const int64_t wanted = wanted_of(rows);
  std::vector<Likeliest> out;
  // Of what was found equal parts are about a row each.
  const auto of_each = [&](auto found) {
    const size_t part = found.size() / static_cast<size_t>(std::max<int64_t>(wanted, 1));
    for (size_t at = 0; at < found.size(); at += part)
      out.emplace_back([&] { return greedy(found.subspan(at, part)); });
  };
  if (wanted > 0 && asks() && (allowed_ || rows.size() > 1)) {
    const AskedLogits some = asked(rows, std::vector<LogitRequest>(static_cast<size_t>(wanted)));
    for (int64_t i = 0; i < wanted; ++i) {
      out.emplace_back([&] {
        const auto id = Sampler({}).sample(some.rows[static_cast<size_t>(i)], {});
        return id ? *id : greedy(some.all(i));
      });
    }
    return out;
  }
  const auto best = wanted > 0 ? stepper_.run_argmax(rows) : std::span<const TileArgmax>();
  best.empty() ? of_each(stepper_.run(rows)) : of_each(best);
  return out;
}

std::optional<int32_t> Session::next(Sequence& sequence, int32_t token) {
  const StepRow row{&sequence, token};
  const auto found = likeliest({&row, 1});
  return found ? std::optional((*found)[0].token()) : std::nullopt;
}

// False if stopped.
bool Session::prepare_guess(Sequence& sequence, int32_t token) {
  if (!guesses()) throw Error("the model was compiled without the step that guesses");
  check_tokens({&token, 1}, sequence.position(), plan_);
  return set_length(sequence, sequence.position() + 1) && !stopped();
}

std::optional<std::span<const float>> Session::guess_logits(Sequence& sequence, int32_t token) {
  if (!prepare_guess(sequence, token)) return std::nullopt;
  return stepper_.run_draft({&sequence, token});
}

std::optional<int32_t> Session::guess(Sequence& sequence, int32_t token) {
  if (!prepare_guess(sequence, token)) return std::nullopt;
  const StepRow row{&sequence, token};
  const std::span<const TileArgmax> best = stepper_.run_draft_argmax(row);
  return best.empty() ? greedy(stepper_.run_draft(row)) : greedy(best);
}

std::optional<int32_t> Session::next(std::span<const int32_t> tokens) {
  if (tokens.size() == 1) return next(sequence_, tokens[0]);
  const std::span<const float> logits = step(tokens);
  return logits.empty() ? std::nullopt : std::optional(greedy(logits));
}

std::span<const float> Session::step(std::span<const int32_t> tokens) {
  std::span<const float> out;
  forward(tokens, Rows::last, [&](int64_t, int64_t, const float* logits) {
    out = {logits, static_cast<size_t>(plan_.vocab)};
  });
  return out;
}

bool Session::forward(std::span<const int32_t> tokens, Rows rows, const Sink& sink, int64_t to_come) {
  check_tokens(tokens, position(), plan_);
  return feed(sequence_, tokens, rows, sink, position() + static_cast<int64_t>(tokens.size()) + to_come);
}

int64_t Session::room() const {
  const bool below = plan_.rope_border > 0 && position() < plan_.rope_border;
  return std::min(below ? plan_.rope_border : context(), context()) - position();
}

void Session::check_prompt(std::span<const int32_t> prompt) const { check_tokens(prompt, 0, plan_); }

int64_t Session::keep_prefix(std::span<const int32_t> prompt) {
  if (beyond_border(static_cast<int64_t>(prompt.size())) != sequence_.beyond) reset();
  const std::vector<int32_t>& there = tokens();
  const size_t most = std::min(there.size(), prompt.empty() ? 0 : prompt.size() - 1);
  const auto differs =
      std::mismatch(there.begin(), there.begin() + static_cast<ptrdiff_t>(most), prompt.begin());
  if (!roll_back(differs.first - there.begin())) reset();
  return position();
}

void Session::resume(std::span<const int32_t> tokens, const std::function<void(std::span<std::byte>)>& read) {
  if (plan_.ranks > 1) throw Error("what another session has stored cannot be resumed on several ranks");
  reset();
  check_tokens(tokens, 0, plan_);
  const auto length = static_cast<int64_t>(tokens.size());
  sequence_.cache.resume(length);
  sequence_.tokens.assign(tokens.begin(), tokens.end());
  sequence_.beyond = beyond_border(length);
  try {
    for (const std::span<std::byte> piece : sequence_.cache.filled()) read(piece);
  } catch (...) {
    reset();
    throw;
  }
}

}  // namespace lmc
