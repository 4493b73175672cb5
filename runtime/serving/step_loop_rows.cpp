// The steps of a StepLoop: which rows one has, and what becomes of its logits; and steps under way, each on
// another rank. Places and memory are in step_loop.cpp.
#include <algorithm>
#include <utility>

#include "ir/round_up.h"
#include "ir/seconds.h"
#include "runtime/restriction.h"
#include "runtime/serving/step_loop.h"

namespace lmc {
namespace {

constexpr int64_t kHiddenBesideTexts = 16;  // tokens of a step, which take little longer than one

}  // namespace

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
  const bool likeliest = wants_likeliest();
  std::optional<std::vector<Likeliest>> found;
  std::optional<std::span<const float>> logits;
  std::optional<AskedLogits> some;
  std::vector<LogitRequest> wanted = likeliest ? std::vector<LogitRequest>() : requests();
  if (!wanted.empty()) {
    some = session_.ask_rows(rows_, std::move(wanted));
  } else if (likeliest) {
    const Restriction restriction(session_, rows_.size() == 1 ? parts_[0].text->allowed() : nullptr);
    found = session_.likeliest(rows_);
  } else {
    logits = session_.step_rows(rows_);
  }
  if (!found && !logits && !some) return;
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
  if (found) {
    choose(*found);
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

// No more of every wanted row? A text that keeps to something chooses by its own ids, so it must be alone.
// (Several ranks tell that of one row; of more they are asked.)
bool StepLoop::wants_likeliest() const {
  if (rows_.size() > 1 && session_.plan().ranks > 1) return false;
  bool some = false;
  for (const Part& part : parts_) {
    if (!part.chooses) continue;
    if (!part.text->only_greedy() || (rows_.size() > 1 && part.text->keeps_to_something())) return false;
    some = true;
  }
  return some;
}

void StepLoop::choose(std::span<const Likeliest> found) {
  for (const Part& part : parts_) {
    if (!part.chooses) continue;
    part.text->choose(found, part.guess);
    found = found.subspan(1 + part.guess.size());
  }
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

}  // namespace lmc
