#include "runtime/serving/step_loop.h"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "ir/error.h"

namespace lmc {
namespace {

constexpr int64_t kLongestQueue = 1 << 20;

int64_t quarter_of_memory() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) / 4 * static_cast<int64_t>(::sysconf(_SC_PAGESIZE));
}

BatcherOptions checked(BatcherOptions o, const Session& session) {
  if (o.slots < 1 || o.slots > session.most_sequences()) {
    throw Error("a batch may hold 1 to " + std::to_string(session.most_sequences()) +
                " texts at a time, not " + std::to_string(o.slots));
  }
  if (o.queue < 0 || o.queue > kLongestQueue) {
    throw Error("the queue must hold 0 to " + std::to_string(kLongestQueue) + " requests, not " +
                std::to_string(o.queue));
  }
  if (!(o.prefill_share >= 0 && o.prefill_share <= 1))
    throw Error("the share of a step that prompts may take must be 0 to 1");
  if (o.kv_bytes < 0) throw Error("the KV memory must be 0 (a share of the machine's) or more bytes");
  if (o.kv_bytes == 0) o.kv_bytes = quarter_of_memory();
  return o;
}

}  // namespace

StepLoop::StepLoop(Session& session, const BatcherOptions& options, std::function<void()> on_leave)
    : session_(session),
      options_(checked(options, session)),
      on_leave_(std::move(on_leave)),
      pages_(session.plan()),
      share_(options_.prefill_share, options_.slots),
      context_(pages_.longest(options_.kv_bytes, session.context())),
      slots_(static_cast<size_t>(options_.slots)) {
  if (context_ < 1) {
    throw Error("KV memory of " + std::to_string(options_.kv_bytes) + " bytes is less than the " +
                std::to_string(pages_.bytes(1)) + " of one page");
  }
}

void StepLoop::end_if(const std::function<bool(const Text&)>& which, StopReason reason) {
  const auto end = [&](const Owned& text) {
    if (!text->ended() && which(*text)) text->end(reason);
  };
  std::for_each(running_.begin(), running_.end(), end);
  std::for_each(waiting_.begin(), waiting_.end(), end);
  sweep();
}

void StepLoop::step() {
  end_if([](const Text& t) { return t.late(); }, StopReason::timeout);
  admit();
  if (!can_fly() || claims() > options_.kv_bytes) guarded([&] { land_all(); });
  make_room();
  if (running_.empty()) return;
  guarded([&] { can_fly() ? fly() : run_step(); });
}

void StepLoop::run_step() {
  hidden_ = is_for_hidden();
  if (hidden_) {
    fill_hidden_parts();
    run_hidden_rows();
  } else {
    fill_parts();
    add_guesses();
    fill_rows();
    run_rows();
  }
}

// What goes wrong ends all texts; those that have ended leave.
void StepLoop::guarded(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::bad_alloc&) {
    fail("not enough memory for a step");
  } catch (const std::exception& e) {
    fail(e.what());
  }
  sweep();
}

void StepLoop::fail(const std::string& error) {
  // What others send to places of ours comes first.
  for (const Flight& flight : std::exchange(flights_, {})) {
    try {
      flight.step->end();
    } catch (const std::exception&) {  // said already, or all ranks end
    }
  }
  for (const Owned& text : running_) {
    text->under_way = false;
    if (!text->ended()) text->fail(error);
  }
}

// ---- who has a place ----

void StepLoop::admit() {
  while (!waiting_.empty() && running_.size() < slots_.size() && fits(*waiting_.front())) {
    Owned text = std::move(waiting_.front());
    waiting_.pop_front();
    give_place(std::move(text));
  }
  sweep();
}

void StepLoop::give_place(Owned text) {
  Slot& slot = *std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.text; });
  text->started = true;
  try {
    if (!slot.sequence) slot.sequence = std::make_unique<Sequence>(session_.plan());
  } catch (const Error& e) {
    text->fail(e.what());
  }
  slot.text = text.get();
  text->sequence = slot.sequence.get();
  if (text->sequence) reuse_prefix(*text);
  running_.push_back(std::move(text));
}

// Its memory goes back to the system.
StepLoop::Owned StepLoop::take_place(size_t running) {
  Owned text = std::move(running_[running]);
  running_.erase(running_.begin() + static_cast<ptrdiff_t>(running));
  std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.text == text.get(); })->text =
      nullptr;
  if (text->sequence) std::exchange(text->sequence, nullptr)->reset();
  return text;
}

void StepLoop::preempt_youngest() {
  waiting_.push_front(take_place(running_.size() - 1));
  ++counts_.preempted;
}

// Those that have ended leave.
void StepLoop::sweep() {
  const auto leave = [&](const Owned& text) {
    on_leave_();
    text->leave();
  };
  for (size_t i = 0; i < running_.size();) {
    if (running_[i]->ended() && !running_[i]->under_way) {
      leave(take_place(i));
    } else {
      ++i;
    }
  }
  for (size_t i = 0; i < waiting_.size();) {
    if (!waiting_[i]->ended()) {
      ++i;
      continue;
    }
    const Owned text = std::move(waiting_[i]);
    waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(i));
    leave(text);
  }
}

// ---- memory ----

// What its caches will use when all its tokens are fed, beside what it shares with what is kept.
int64_t StepLoop::own_bytes(const Text& text) const {
  const auto size = static_cast<int64_t>(text.tokens().size());
  return pages_.bytes(size) - text.sequence->cache.shared_pages() * pages_.lasting_bytes();
}

// Of all that run.
int64_t StepLoop::claims() const {
  int64_t out = 0;
  for (const Owned& text : running_) out += own_bytes(*text);
  return out;
}

// With a page more for each, so that it does not have to leave again at once. What is kept of its beginning
// it will share.
bool StepLoop::fits(const Text& text) const {
  if (running_.empty()) return true;
  const auto size = static_cast<int64_t>(text.tokens().size());
  const auto kept = static_cast<int64_t>(prefixes_.count(reusable(text), beyond(text)));
  const int64_t spare = (static_cast<int64_t>(running_.size()) + 1) * pages_.page_bytes();
  const int64_t own = pages_.bytes(size) - kept * pages_.lasting_bytes();
  return claims() + prefixes_.bytes_in_use() + own + spare <= options_.kv_bytes;
}

void StepLoop::make_room() {
  drop_kept(0);
  while (running_.size() > 1 && claims() + prefixes_.bytes() > options_.kv_bytes) {
    preempt_youngest();
    drop_kept(0);
  }
}

// Until there is room for as much as `wanted` beside the claims, or nothing is kept that nobody shares.
void StepLoop::drop_kept(int64_t wanted) {
  const int64_t others = claims() + wanted;
  while (others + prefixes_.bytes() > options_.kv_bytes && prefixes_.drop()) {
  }
}

bool StepLoop::beyond(const Text& text) const {
  const int64_t border = session_.plan().rope_border;
  return border > 0 && static_cast<int64_t>(text.tokens().size()) > border;
}

// The tokens that it need not feed itself where others have. (Other ranks have caches that nobody here can
// share, and hidden states come from feeding.)
std::span<const int32_t> StepLoop::reusable(const Text& text) const {
  if (session_.plan().ranks > 1 || text.wants_hidden() || text.tokens().empty()) return {};
  return std::span(text.tokens()).first(text.tokens().size() - 1);
}

// Takes what others had in their caches and this one would feed, all but its last token.
void StepLoop::reuse_prefix(Text& text) {
  Sequence& to = *text.sequence;
  const std::span tokens(text.tokens());
  const auto kept = prefixes_.find(reusable(text), beyond(text));
  const int64_t from = to.position(), end = static_cast<int64_t>(kept.size()) * kCachePage;
  if (end <= from) return;
  const auto fresh = tokens.subspan(static_cast<size_t>(from), static_cast<size_t>(end - from));
  to.tokens.insert(to.tokens.end(), fresh.begin(), fresh.end());
  to.cache.advance(end - from);
  to.beyond = beyond(text);
  for (int64_t page = from / kCachePage; page < end / kCachePage; ++page) {
    const PrefixTree::Found& found = kept[static_cast<size_t>(page)];
    to.cache.share(page, found.lasting);
    pages_.write_windows(*found.page, page, to.cache, end);
  }
  text.reused += end - from;
  counts_.reused_tokens += static_cast<uint64_t>(end - from);
}

// Of the pages that it has filled since it was at `before`, those that are not there; then it shares them, so
// that only what windows see takes more memory than before.
void StepLoop::keep_pages(Text& text, int64_t before) {
  if (session_.plan().ranks > 1) return;  // nobody would take them
  Sequence& from = *text.sequence;
  for (int64_t page = before / kCachePage; page < from.position() / kCachePage; ++page) {
    const auto tokens = std::span(from.tokens).first(static_cast<size_t>((page + 1) * kCachePage));
    if (prefixes_.wants(tokens, from.beyond)) {
      drop_kept(pages_.windowed_bytes());
      if (claims() + prefixes_.bytes() + pages_.windowed_bytes() > options_.kv_bytes) return;
      prefixes_.add(tokens, from.beyond, pages_.copy_of(from.cache, page));
    }
    if (auto lasting = prefixes_.lasting(tokens, from.beyond)) from.cache.share(page, std::move(lasting));
  }
}

void StepLoop::for_each_kept(const std::function<void(const Batcher::KeptPage&)>& f) const {
  prefixes_.for_each([&](const PrefixTree::Kept& k) {
    f({k.tokens, k.beyond, k.used, pages_.lasting(k.page), pages_.windowed(k.page)});
  });
}

bool StepLoop::keep(std::span<const int32_t> tokens, bool beyond, std::span<const std::byte> held) {
  const Plan& plan = session_.plan();
  const auto size = static_cast<int64_t>(tokens.size());
  const bool whole = size > 0 && size % kCachePage == 0 && size <= plan.context;
  const bool known =
      std::all_of(tokens.begin(), tokens.end(), [&](int32_t t) { return t >= 0 && t < plan.vocab; });
  if (!whole || !known || (beyond && plan.rope_border == 0)) return false;
  if (claims() + prefixes_.bytes() + pages_.page_bytes() > options_.kv_bytes) return false;
  if (!prefixes_.wants(tokens, beyond)) return false;
  std::optional<KvPage> page = pages_.page_of(held);
  if (page) prefixes_.add(tokens, beyond, std::move(*page));
  return page.has_value();
}

BatcherStats StepLoop::stats() const {
  BatcherStats out = counts_;
  for (const Slot& slot : slots_) {
    BatcherStats::Slot& s = out.slots.emplace_back();
    if (!slot.text) continue;
    const int64_t position = slot.text->sequence->position();
    s = {slot.text->id, slot.text->prompt_size(), position, slot.text->made()};
    out.sequence_bytes +=
        pages_.bytes(position) - slot.text->sequence->cache.shared_pages() * pages_.lasting_bytes();
  }
  out.running = static_cast<int64_t>(running_.size());
  out.waiting = static_cast<int64_t>(waiting_.size());
  out.kept_bytes = prefixes_.bytes();
  out.most_bytes = options_.kv_bytes;
  return out;
}

}  // namespace lmc
