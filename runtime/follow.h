// Rank 0 decides what is run; the others are told, step by step.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "ir/plan.h"
#include "runtime/collective.h"
#include "runtime/some_logits.h"
#include "runtime/step_inputs.h"

namespace lmc {

// What is wanted of a step's logits.
struct LogitWish {
  bool likeliest = false;  // of a step of one row, its likeliest token alone
  // Of each wanted row in order, this and not all of them, which stay where they are made until the next
  // step.
  std::span<const LogitRequest> requests = {};
};

// On rank 0: what the others are to run with it.
void announce(Collective& collective, std::span<const StepRow> rows, const LogitWish& wish);
void announce_end(Collective& collective);  // there will be no more
// Behind a step whose logits have stayed: a draw among them, or all of so many rows.
void announce_draw(Collective& collective, const LogitDraw& draw);
void announce_gathering(Collective& collective, int64_t rows);

// What rank 0 has said.
struct Order {
  enum class Kind : int64_t { end, step, draw, gather } kind = Kind::end;
  std::span<const StepRow> rows = {};  // of a step; valid until the next order
  LogitWish wish = {};
  LogitDraw draw = {};
  int64_t count = 0;  // of rows to gather
};

// On the other ranks: their own caches of the sequences that rank 0 has.
class Follower {
 public:
  Follower(const Plan& plan, Collective& collective) : plan_(plan), collective_(collective) {}

  // Error for rows that no step of this plan takes: then rank 0 runs something else.
  Order next();

 private:
  Sequence& sequence(int32_t number);
  void add_row(class MessageReader& message);

  const Plan& plan_;
  Collective& collective_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // by number
  std::vector<std::byte> message_;
  std::vector<StepRow> rows_;
  std::vector<LogitRequest> requests_;
};

}  // namespace lmc
