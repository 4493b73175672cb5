#include "runtime/session.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <string>

#include "ir/error.h"
#include "runtime/sampler.h"
#include "runtime/threads.h"

namespace lmc {
namespace {

// Kernels may read and write a whole vector past the last element.
constexpr int64_t kSlack = 64;
constexpr int64_t kPage = 4096;

int64_t most_tokens(const Plan& plan) { return std::max(plan.decode.max_tokens, plan.prefill.max_tokens); }
int64_t most_rows(const Plan& plan) { return std::max(plan.decode.max_rows, plan.prefill.max_rows); }
int64_t input_bytes(const Plan& plan) { return most_tokens(plan) * int64_t{sizeof(int32_t)} + kSlack; }

int64_t input_stride(const Plan& plan) { return (input_bytes(plan) + 63) / 64 * 64; }

int32_t* input(const Arena& inputs, const Plan& plan, StepInput which) {
  return reinterpret_cast<int32_t*>(inputs.data() + static_cast<int64_t>(which) * input_stride(plan));
}

int64_t block_size(const Plan& plan, int64_t wanted) {
  if (plan.prefill.stages.empty()) return 1;
  return wanted <= 0 ? plan.prefill.max_tokens : std::min(wanted, plan.prefill.max_tokens);
}

}  // namespace

Session::Session(const Plan& plan, const std::vector<KernelFn>& decode, const std::vector<KernelFn>& prefill,
                 const std::vector<const void*>& weights, const SessionOptions& options)
    : plan_(plan),
      options_(options),
      weights_(weights),
      block_(block_size(plan, options.block)),
      workers_(options.threads > 0 ? options.threads : default_threads()),
      sequence_(plan),
      buffers_(std::max(plan.decode.arena_bytes, plan.prefill.arena_bytes) + kSlack, "the step's buffers"),
      inputs_(3 * input_stride(plan), "the step's inputs"),
      logits_(most_rows(plan) * plan.vocab * int64_t{sizeof(float)} + kSlack, "the logits") {
  if (plan.decode.best_stage >= 0)
    best_.resize(static_cast<size_t>(plan.decode.stages[static_cast<size_t>(plan.decode.best_stage)].tiles));
  if (weights.size() != plan.weights.size()) {
    throw Error("the plan has " + std::to_string(plan.weights.size()) + " weights, but " +
                std::to_string(weights.size()) + " were given");
  }
  decode_ = std::make_unique<Executor>(plan.decode, bindings(decode, weights), workers_, options.schedule);
  if (!plan.prefill.stages.empty()) {
    prefill_ =
        std::make_unique<Executor>(plan.prefill, bindings(prefill, weights), workers_, options.schedule);
  }
  if (!options.profile) return;
  decode_profile_ = std::make_unique<Profile>(plan.decode, workers_.slots());
  decode_->set_profile(decode_profile_.get());
  if (!prefill_) return;
  prefill_profile_ = std::make_unique<Profile>(plan.prefill, workers_.slots());
  prefill_->set_profile(prefill_profile_.get());
}

Session::~Session() = default;

Bindings Session::bindings(const std::vector<KernelFn>& kernels,
                           const std::vector<const void*>& weights) const {
  Bindings b;
  b.kernels = kernels;
  b.weights = weights;
  b.caches = sequence_.cache.bases();
  b.arena = buffers_.data();
  for (const StepInput i : {StepInput::tokens, StepInput::pos, StepInput::out_rows}) {
    b.inputs[static_cast<size_t>(i)] = input(inputs_, plan_, i);
  }
  b.output = reinterpret_cast<float*>(logits_.data());
  return b;
}

int64_t Session::step_bytes() const { return buffers_.bytes() + inputs_.bytes() + logits_.bytes(); }

void Session::warm_up(const std::function<void(int64_t done, int64_t total)>& progress) {
  constexpr int64_t kChunk = 4 << 20;
  struct Piece {
    const std::byte* begin;
    int64_t bytes;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < weights_.size(); ++i) {
    const auto* base = static_cast<const std::byte*>(weights_[i]);
    const int64_t bytes = plan_.weights[i].bytes;
    for (int64_t at = 0; at < bytes; at += kChunk)
      pieces.push_back({base + at, std::min(kChunk, bytes - at)});
  }
  std::mutex mutex;
  int64_t done = 0;
  int64_t total = 0;
  for (const Piece& p : pieces) total += p.bytes;
  workers_.for_each(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& p = pieces[static_cast<size_t>(i)];
    for (int64_t at = 0; at < p.bytes; at += kPage) {
      static_cast<void>(*static_cast<const volatile std::byte*>(p.begin + at));
    }
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(done += p.bytes, total);
  });
  workers_.wake();
}

void Session::reset() { sequence_.reset(); }

void Session::swap(Sequence& other) {
  std::swap(sequence_, other);
  const std::vector<void*> caches = sequence_.cache.bases();
  decode_->use_caches(caches);
  if (prefill_) prefill_->use_caches(caches);
}

bool Session::roll_back(int64_t position) {
  if (!sequence_.cache.can_roll_back(position)) return false;
  sequence_.cache.roll_back(position);
  sequence_.tokens.resize(static_cast<size_t>(position));
  return true;
}

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
  reset();
  check_tokens(tokens, 0);
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

std::span<const float> Session::step(std::span<const int32_t> tokens) {
  std::span<const float> out;
  forward(tokens, Rows::last, [&](int64_t, int64_t, const float* logits) {
    out = {logits, static_cast<size_t>(plan_.vocab)};
  });
  return out;
}

std::optional<int32_t> Session::next(std::span<const int32_t> tokens) {
  if (tokens.size() != 1 || best_.empty()) {
    const std::span<const float> logits = step(tokens);
    return logits.empty() ? std::nullopt : std::optional(greedy(logits));
  }
  check_tokens(tokens, position());
  if (!set_length(position() + 1) || stopped()) return std::nullopt;
  run_block(tokens, 1, best_.data());
  return greedy(best_);
}

bool Session::forward(std::span<const int32_t> tokens, Rows rows, const Sink& sink, int64_t to_come) {
  check_tokens(tokens, position());
  return set_length(position() + static_cast<int64_t>(tokens.size()) + to_come) && feed(tokens, rows, sink);
}

int64_t Session::room() const {
  const bool below = plan_.rope_border > 0 && position() < plan_.rope_border;
  return std::min(below ? plan_.rope_border : context(), context()) - position();
}

// What comes next belongs to a sequence of `length` positions: feeds its beginning again if that was fed with
// other factors. False if stopped meanwhile.
bool Session::set_length(int64_t length) {
  length_ = length;
  if (beyond_border(length) == sequence_.beyond) return true;
  if (stopped()) return false;
  sequence_.beyond = !sequence_.beyond;
  const std::vector<int32_t> again = tokens();
  reset();
  return feed(again, Rows::none, {});
}

bool Session::feed(std::span<const int32_t> tokens, Rows rows, const Sink& sink) {
  int64_t block = block_;
  if (rows == Rows::all) block = std::min(block, most_rows(plan_));
  for (size_t at = 0; at < tokens.size();) {
    if (stopped()) return false;
    const size_t n = std::min(static_cast<size_t>(block), tokens.size() - at);
    const bool last = at + n == tokens.size();
    const int64_t wanted = rows == Rows::all ? static_cast<int64_t>(n) : rows == Rows::last && last ? 1 : 0;
    const int64_t first = position() + static_cast<int64_t>(n) - wanted;
    run_block(tokens.subspan(at, n), wanted);
    at += n;
    if (wanted > 0) sink(first, wanted, reinterpret_cast<const float*>(logits_.data()));
  }
  return true;
}

int64_t Session::most_sequences() const {
  return prefill_ ? std::min(plan_.prefill.max_tokens, plan_.prefill.max_rows) : 1;
}

std::span<const float> Session::step_each(std::span<Sequence* const> sequences,
                                          std::span<const int32_t> tokens) {
  assert(sequences.size() == tokens.size());
  if (sequences.empty() || static_cast<int64_t>(sequences.size()) > most_sequences()) {
    throw Error("a step takes 1 to " + std::to_string(most_sequences()) + " sequences, not " +
                std::to_string(sequences.size()));
  }
  for (size_t i = 0; i < tokens.size(); ++i)
    check_tokens(tokens.subspan(i, 1), sequences[i]->cache.position());
  if (sequences.size() == 1) {
    const Visit visit(*this, *sequences[0]);
    return step(tokens);
  }
  const auto beyond = [&](size_t i) { return beyond_border(sequences[i]->cache.position() + 1); };
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (beyond(i) != beyond(0)) return step_each_side(sequences, tokens);
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int64_t length = sequences[i]->cache.position() + 1;
    if (sequences[i]->beyond != beyond(i)) {
      const Visit visit(*this, *sequences[i]);
      if (!set_length(length)) return {};
    }
  }
  length_ = 0;
  for (const Sequence* s : sequences) length_ = std::max(length_, s->cache.position() + 1);
  if (stopped()) return {};
  cache_offsets_.clear();
  for (size_t i = 0; i < tokens.size(); ++i) {
    input(inputs_, plan_, StepInput::tokens)[i] = tokens[i];
    input(inputs_, plan_, StepInput::pos)[i] = static_cast<int32_t>(sequences[i]->cache.position());
    input(inputs_, plan_, StepInput::out_rows)[i] = static_cast<int32_t>(i);
    cache_offsets_.push_back(sequences[i]->cache.offset_from(sequence_.cache));
  }
  const auto n = static_cast<int64_t>(tokens.size());
  run_step(false, {.tokens = n,
                   .rows = n,
                   .cycles = options_.cycles,
                   .cache_offsets = cache_offsets_.data(),
                   .sequence = length_});
  for (size_t i = 0; i < tokens.size(); ++i) {
    sequences[i]->cache.advance(1);
    sequences[i]->tokens.push_back(tokens[i]);
  }
  return {reinterpret_cast<const float*>(logits_.data()), static_cast<size_t>(n * vocab())};
}

// Sequences on both sides of the border have different factors: a step for each side.
std::span<const float> Session::step_each_side(std::span<Sequence* const> sequences,
                                               std::span<const int32_t> tokens) {
  const auto width = static_cast<size_t>(vocab());
  both_sides_.resize(tokens.size() * width);
  std::vector<bool> is_beyond;  // before any of them moves on
  for (const Sequence* s : sequences) is_beyond.push_back(beyond_border(s->cache.position() + 1));
  for (const bool beyond : {false, true}) {
    std::vector<size_t> which;
    std::vector<Sequence*> some;
    std::vector<int32_t> their_tokens;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (is_beyond[i] != beyond) continue;
      which.push_back(i);
      some.push_back(sequences[i]);
      their_tokens.push_back(tokens[i]);
    }
    const std::span<const float> logits = step_each(some, their_tokens);
    if (logits.empty()) return {};
    for (size_t n = 0; n < which.size(); ++n)
      std::copy_n(logits.data() + n * width, width, both_sides_.data() + which[n] * width);
  }
  return both_sides_;
}

void Session::check_tokens(std::span<const int32_t> tokens, int64_t position) const {
  if (tokens.empty()) throw Error("the prompt is empty: at least one token is needed");
  const auto count = static_cast<int64_t>(tokens.size());
  if (position + count > context()) {
    const std::string before =
        position > 0 ? " after the " + std::to_string(position) + " already there" : "";
    throw Error("the prompt has " + std::to_string(count) + " tokens" + before + ", but the context holds " +
                std::to_string(context()) + ": shorten it or compile with a larger --context");
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocab()) {
      throw Error("token " + std::to_string(tokens[i]) + " at index " + std::to_string(i) +
                  " is not in the vocabulary of " + std::to_string(vocab()) +
                  ": does the tokenizer belong to this model?");
    }
  }
}

// The wanted rows are the last ones of the block.
void Session::run_block(std::span<const int32_t> tokens, int64_t wanted_rows, TileBest* best) {
  const auto n = static_cast<int64_t>(tokens.size());
  int32_t* token = input(inputs_, plan_, StepInput::tokens);
  int32_t* pos = input(inputs_, plan_, StepInput::pos);
  int32_t* out_rows = input(inputs_, plan_, StepInput::out_rows);
  for (int64_t i = 0; i < n; ++i) {
    token[i] = tokens[static_cast<size_t>(i)];
    pos[i] = static_cast<int32_t>(position() + i);
  }
  for (int64_t r = 0; r < wanted_rows; ++r) out_rows[r] = static_cast<int32_t>(n - wanted_rows + r);
  const bool single = n <= plan_.decode.max_tokens || !prefill_;
  run_step(single,
           {.tokens = n, .rows = wanted_rows, .cycles = options_.cycles, .best = best, .sequence = length_});
  sequence_.cache.advance(n);
  sequence_.tokens.insert(sequence_.tokens.end(), tokens.begin(), tokens.end());
}

void Session::run_step(bool single, const StepInfo& step) {
  (single ? *decode_ : *prefill_).run(step);
  if (options_.profile && options_.on_step) {
    options_.on_step(single ? plan_.decode : plan_.prefill, step,
                     single ? *decode_profile_ : *prefill_profile_);
  }
}

}  // namespace lmc
