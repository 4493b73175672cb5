#include "runtime/serving/step_loop.h"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "ir/error.h"
#include "ir/round_up.h"
#include "ir/seconds.h"
#include "runtime/restriction.h"

namespace lmc {
namespace {

constexpr int64_t kLongestQueue = 1 << 20;
constexpr int64_t kHiddenBesideTexts = 16;  // tokens of a step, which take little longer than one

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

// ---- one step ----

// In turn with texts, where there are both.
bool StepLoop::is_for_hidden() const {
  const auto wants = [](const Owned& text) { return text->wants_hidden(); };
  const bool some = std::any_of(running_.begin(), running_.end(), wants);
  return some && (!hidden_ || std::all_of(running_.begin(), running_.end(), wants));
}

// Of the oldest first.
void StepLoop::fill_hidden_parts() {
  parts_.clear();
  const bool alone =
      std::all_of(running_.begin(), running_.end(), [](const Owned& text) { return text->wants_hidden(); });
  const int64_t most = std::min(session_.block(), session_.most_logits());
  int64_t room = alone ? most : std::min(most, kHiddenBesideTexts);
  for (const Owned& text : running_) {
    if (!text->wants_hidden() || room == 0) continue;
    if (text->sequence->position() > 0 && text->sequence->beyond != beyond(*text)) text->sequence->reset();
    const int64_t count = std::min(static_cast<int64_t>(text->unfed().size()), room);
    add_part(*text, count);
    room -= count;
  }
}

void StepLoop::run_hidden_rows() {
  fill_rows();
  for (StepRow& row : rows_) row.logits = true;
  const auto begin = std::chrono::steady_clock::now();
  const auto states = session_.hidden_rows(rows_);
  if (!states) return;
  ++counts_.steps;
  counts_.step_seconds += seconds_since(begin);
  counts_.prompt_tokens += rows_.size();
  const int64_t size = session_.hidden_size();
  int64_t row = 0;
  for (const Part& part : parts_) {
    keep_pages(*part.text, part.before);
    part.text->take_hidden(
        part.before, states->subspan(static_cast<size_t>(row * size), static_cast<size_t>(part.count * size)),
        size);
    row += part.count;
  }
}

void StepLoop::fill_parts() {
  parts_.clear();
  // Of steps under way at a time each has as many texts.
  const int64_t flights = can_fly() ? session_.most_under_way() : 1;
  const int64_t most_texts = (static_cast<int64_t>(running_.size()) + flights - 1) / flights;
  size_t others = 0;  // that are in no step of this kind
  for (const Owned& text : running_) {
    if (text->wants_hidden() || text->under_way) {
      ++others;
      continue;
    }
    // What was fed with other rope factors is fed again, in slices as a prompt.
    if (text->sequence->position() > 0 && text->sequence->beyond != beyond(*text)) text->sequence->reset();
    if (text->unfed().size() == 1 && static_cast<int64_t>(parts_.size()) < most_texts) add_part(*text, 1);
  }
  texts_ = parts_.size();
  const auto texts = static_cast<int64_t>(texts_);
  const bool prompts = texts_ + others < running_.size();
  const int64_t most = std::min(std::max(session_.block(), texts + 1), session_.most_tokens());
  int64_t room = prompts && most > texts ? share_.tokens(texts, most - texts) : 0;
  for (const Owned& text : running_) {
    if (room == 0) break;
    if (text->wants_hidden() || text->under_way || text->unfed().size() == 1) continue;
    reuse_prefix(*text);
    const int64_t count = slice(*text, room);
    add_part(*text, count);
    room -= count;
  }
}

// How many tokens of a prompt go into a step that has room for so many: up to the end of the last page, if a
// state is to be kept there.
int64_t StepLoop::slice(const Text& text, int64_t room) const {
  const int64_t count = std::min(static_cast<int64_t>(text.unfed().size()), room);
  const int64_t position = text.sequence->position();
  const int64_t border = (position + count) / kCachePage * kCachePage;
  return pages_.wants_borders() && border > position ? border - position : count;
}

// The next `count` unfed tokens of a text, whose next token is chosen behind the last.
void StepLoop::add_part(Text& text, int64_t count) {
  const bool chooses = count == static_cast<int64_t>(text.unfed().size());
  parts_.push_back({&text, text.sequence->position(), count, chooses});
}

// Behind texts in the making, as many as pay beside all other rows.
void StepLoop::add_guesses() {
  if (!options_.drafter) return;
  int64_t rows = 0, logits = 0;
  for (const Part& part : parts_) {
    rows += part.count;
    logits += part.chooses ? 1 : 0;
  }
  const int64_t most = std::min(std::max(session_.block(), rows), session_.most_tokens());
  const int64_t room = std::min(most - rows, session_.most_logits() - logits);
  // They may begin a page each.
  const int64_t pages = static_cast<int64_t>(texts_) * pages_.page_bytes(), claimed = claims();
  if (claimed + pages <= options_.kv_bytes) drop_kept(pages);
  const int64_t spare = options_.kv_bytes - claimed - prefixes_.bytes();

  std::vector<Drafter::Asker> askers;
  std::vector<Part*> parts;
  for (const Owned& text : running_) {
    if (text->wants_hidden()) continue;
    const DraftText* known = text->read_by(*options_.drafter);
    const auto part = std::find_if(parts_.begin(), parts_.begin() + static_cast<ptrdiff_t>(texts_),
                                   [&](const Part& p) { return p.text == text.get(); });
    if (!known || part == parts_.begin() + static_cast<ptrdiff_t>(texts_)) continue;
    const int64_t most_of_it = room_for_guess(*text, room, spare / static_cast<int64_t>(texts_));
    askers.push_back({known, static_cast<size_t>(most_of_it)});
    parts.push_back(&*part);
  }
  if (room <= 0 || askers.empty()) return;
  auto guesses = options_.drafter->guess(askers, static_cast<size_t>(rows), static_cast<size_t>(room));
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i]->guess = std::move(guesses[i]);
    parts[i]->text->cut(parts[i]->guess);
  }
}

// Tokens that may come, up to `most`, with the same rope factors as the next and in the memory that there is.
int64_t StepLoop::room_for_guess(Text& text, int64_t most, int64_t spare_bytes) const {
  const auto size = static_cast<int64_t>(text.tokens().size());
  const int64_t border = beyond(text) ? 0 : session_.plan().rope_border;
  const int64_t end = border > 0 ? std::min(border, context_) : context_;
  int64_t out = std::min({most, text.left() - 1, end - size, most_taken_back(session_.plan())});
  if (pages_.bytes(size + out) - pages_.bytes(size) > spare_bytes)
    out = std::min(out, round_up(size, kCachePage) - size);
  return std::max<int64_t>(out, 0);
}

void StepLoop::fill_rows() {
  rows_.clear();
  for (const Part& part : parts_) {
    const auto length = static_cast<int64_t>(part.text->tokens().size());
    for (const int32_t token : part.text->unfed().first(static_cast<size_t>(part.count)))
      rows_.push_back({part.text->sequence, token, false, length});
    rows_.back().logits = part.chooses;
    for (const int32_t token : part.guess) rows_.push_back({part.text->sequence, token, true, length});
  }
}

// Nothing has happened if the session was stopped.
void StepLoop::run_rows() {
  const auto begin = std::chrono::steady_clock::now();
  const bool likeliest = rows_.size() == 1 && parts_[0].chooses && parts_[0].text->only_greedy();
  std::optional<int32_t> id;
  std::optional<std::span<const float>> logits;
  std::optional<AskedLogits> some;
  std::vector<LogitRequest> wanted = likeliest ? std::vector<LogitRequest>() : requests();
  if (!wanted.empty()) {
    some = session_.ask_rows(rows_, std::move(wanted));
  } else if (likeliest) {
    const Restriction restriction(session_, parts_[0].text->allowed());
    id = session_.next(*rows_[0].sequence, rows_[0].token);
  } else {
    logits = session_.step_rows(rows_);
  }
  if (!id && !logits && !some) return;
  const double seconds = seconds_since(begin);
  ++counts_.steps;
  counts_.step_seconds += seconds;
  size_t guesses = 0;
  for (const Part& part : parts_) {
    guesses += part.guess.size();
    if (part.count > 1 || part.text->made() == 0) counts_.prompt_tokens += static_cast<uint64_t>(part.count);
  }
  Drafter* const drafter = options_.drafter;
  const double plain = guesses > 0 ? seconds * drafter->share_without(rows_.size(), guesses) : seconds;
  share_.took(static_cast<int64_t>(texts_), static_cast<int64_t>(rows_.size() - texts_ - guesses), plain);
  if (id) {
    parts_[0].text->choose(*id);
  } else {
    some ? choose(*some) : choose(*logits);
  }
  for (const Part& part : parts_) part.text->needs_all = false;
  for (const Part& part : parts_) {
    if (part.chooses) tell(part);
    keep_pages(*part.text, part.before);
  }
  if (drafter && texts_ > 0) drafter->took(rows_.size(), guesses, seconds_since(begin));
}

// ---- steps under way, each on another rank ----

bool StepLoop::can_fly() const {
  if (session_.most_under_way() == 1 || options_.drafter || running_.size() < 2) return false;
  return std::all_of(running_.begin(), running_.end(),
                     [&](const Owned& text) { return text->flies(session_.vocab()); });
}

// The rank that is done with one has the next by then; the first that comes back is waited for.
void StepLoop::fly() {
  const auto most = static_cast<size_t>(session_.most_under_way());
  while (flights_.size() < most && begin()) {
  }
  if (!flights_.empty()) land();
}

// False if there was nothing, or a step of no logits, which is over.
bool StepLoop::begin() {
  fill_parts();
  if (parts_.empty()) return false;
  fill_rows();
  std::vector<LogitRequest> wanted = requests();
  if (wanted.empty()) {
    run_rows();
    return false;
  }
  Flight flight{parts_, texts_, rows_.size(), session_.begin_rows(rows_, std::move(wanted))};
  if (!flight.step) return false;
  for (const Part& part : parts_) part.text->under_way = true;
  flights_.push_back(std::move(flight));
  return true;
}

void StepLoop::land() {
  Flight flight = std::move(flights_.front());
  flights_.pop_front();
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<SomeLogits> logits = flight.step->end();
  const double seconds = seconds_since(begin);
  ++counts_.steps;
  counts_.step_seconds += seconds;
  size_t row = 0;
  for (const Part& part : flight.parts) {
    Text& text = *part.text;
    text.under_way = false;
    if (part.count > 1 || text.made() == 0) counts_.prompt_tokens += static_cast<uint64_t>(part.count);
    if (!part.chooses) continue;
    const SomeLogits& some = logits[row++];
    if (text.ended()) continue;
    // Where that does not tell the last token is fed again, and all logits looked at.
    if (!text.choose(some)) {
      text.needs_all = true;
      if (!text.sequence->roll_back(part.before + part.count - 1))
        text.fail("the KV cache cannot take back a token; compile the bundle again");
    }
    tell(part);
  }
}

void StepLoop::land_all() {
  while (!flights_.empty()) land();
}

// Of each wanted row, where it does to ask the ranks that have parts of the logits; else none.
std::vector<LogitRequest> StepLoop::requests() {
  std::vector<LogitRequest> out;
  if (!session_.asks()) return out;
  for (const Part& part : parts_) {
    if (!part.chooses) continue;
    if (!part.text->asks(part.guess)) return {};
    for (size_t i = 0; i <= part.guess.size(); ++i)
      out.push_back(part.text->request(session_.vocab(), std::span(part.guess).first(i)));
  }
  return out;
}

void StepLoop::choose(const AskedLogits& logits) {
  std::vector<std::pair<const Part*, int64_t>> choices;  // and its first row
  int64_t row = 0;
  for (const Part& part : parts_) {
    if (!part.chooses) continue;
    choices.emplace_back(&part, row);
    row += 1 + static_cast<int64_t>(part.guess.size());
  }
  session_.for_each(static_cast<int64_t>(choices.size()), [&](int64_t i) {
    const auto& [part, first] = choices[static_cast<size_t>(i)];
    part->text->choose(logits, first, part->guess);
  });
}

// A text's tokens depend on each other, but not on another's, and a vocabulary is large: each is chosen for
// by whichever thread has time.
void StepLoop::choose(std::span<const float> logits) {
  struct Choice {
    const Part* part;
    std::span<const float> logits;
  };
  std::vector<Choice> choices;
  for (const Part& part : parts_) {
    if (!part.chooses) continue;
    const size_t count = (1 + part.guess.size()) * static_cast<size_t>(session_.vocab());
    choices.push_back({&part, logits.first(count)});
    logits = logits.subspan(count);
  }
  session_.for_each(static_cast<int64_t>(choices.size()), [&](int64_t i) {
    const Choice& c = choices[static_cast<size_t>(i)];
    c.part->text->choose(c.logits, c.part->guess);
  });
}

// Guesses that were wrong are taken back.
void StepLoop::tell(const Part& part) {
  Text& text = *part.text;
  const Text::Told told = text.tell();
  const int64_t valid = part.before + part.count + told.right;
  if (text.sequence->position() > valid && !text.sequence->roll_back(valid))
    text.fail("the KV cache cannot take back rejected guesses; compile the bundle again");
  counts_.chosen_tokens += static_cast<uint64_t>(told.tokens);
  counts_.drafted_tokens += part.guess.size();
  counts_.accepted_tokens += static_cast<uint64_t>(told.right);
  if (text.ended() && options_.drafter) text.read_by(*options_.drafter);
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
