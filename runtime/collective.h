// How the ranks of a model that runs on several machines exchange what each has computed. Knows no model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ir/plan.h"

namespace lmc {

// A collective that has begun: others' parts may be on their way.
class Gathering {
 public:
  virtual ~Gathering() = default;
  virtual void end() = 0;  // returns when all that this rank gets is there; once
};

// One rank's end. Every rank calls the same functions in the same order, from one thread at a time; a call
// returns when its part is done. What goes wrong between ranks ends all of them: an Error here, and in the
// others, that names the rank at fault.
class Collective {
 public:
  virtual ~Collective() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t ranks() const = 0;

  // Completes `count` rows, `gather.stride` bytes apart, of which this rank's part is there, if it has one.
  // A rank that does not get them only sends, and need not wait for the others to do their part.
  void all_gather(std::byte* rows, int64_t count, const PlanGather& gather) {
    begin_gather(rows, count, gather)->end();
  }
  // The same in two parts, between which others may begin and end. The rows stay where they are until the
  // end.
  virtual std::unique_ptr<Gathering> begin_gather(std::byte* rows, int64_t count,
                                                  const PlanGather& gather) = 0;
  // What rank 0 gives, for all; others' messages are replaced. May wait for as long as rank 0 likes.
  virtual void broadcast(std::vector<std::byte>& message) = 0;
};

}  // namespace lmc
