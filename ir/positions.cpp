#include "ir/positions.h"

#include <algorithm>

namespace lmc {

Positions Positions::range(int64_t from, int64_t count) {
  Positions out;
  out.add_run(from, count, false);
  return out;
}

Positions Positions::repeat(int64_t place, int64_t count) {
  Positions out;
  out.add_run(place, count, true);
  return out;
}

void Positions::add(int64_t from, int64_t count) { add_run(from, count, false); }

void Positions::add(const Positions& more) {
  for (const Run& r : more.runs_) add_run(r.from, r.count, r.repeated);
}

// Runs are as long as they can be, so that equal places are equal runs.
void Positions::add_run(int64_t from, int64_t count, bool repeated) {
  if (count <= 0) return;
  repeated &= count > 1;
  if (!runs_.empty()) {
    Run& last = runs_.back();
    const bool follows = !last.repeated && !repeated && last.from + last.count == from;
    const bool again = last.from == from && (last.repeated || last.count == 1) && (repeated || count == 1);
    if (follows || again) {
      last.count += count;
      last.repeated = again;
      return;
    }
  }
  runs_.push_back({size(), from, count, repeated});
}

size_t Positions::run_of(int64_t i) const {
  const auto it =
      std::upper_bound(runs_.begin(), runs_.end(), i, [](int64_t at, const Run& r) { return at < r.at; });
  return static_cast<size_t>(it - runs_.begin()) - 1;
}

int64_t Positions::operator[](int64_t i) const {
  const Run& r = runs_[run_of(i)];
  return r.place(i - r.at);
}

bool Positions::is_range(int64_t from, int64_t count) const {
  return size() == count &&
         (count == 0 || (runs_.size() == 1 && !runs_[0].repeated && runs_[0].from == from));
}

Positions Positions::pick(const Positions& wanted) const {
  Positions out;
  for (const Run& w : wanted.runs_) {
    if (w.repeated) {
      out.add_run((*this)[w.from], w.count, true);
      continue;
    }
    for (int64_t i = w.from; i < w.from + w.count;) {
      const Run& r = runs_[run_of(i)];
      const int64_t n = std::min(r.at + r.count, w.from + w.count) - i;
      out.add_run(r.place(i - r.at), n, r.repeated);
      i += n;
    }
  }
  return out;
}

Positions Positions::pick(int64_t first, int64_t count) const { return pick(range(first, count)); }

}  // namespace lmc
