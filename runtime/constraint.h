// What one text may go on with, as it grows: implemented by grammar/.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/error.h"
#include "runtime/id_set.h"

namespace lmc {

// A constraint that takes more work than it may: thrown by whatever asks it something.
class ConstraintError : public Error {
 public:
  using Error::Error;
};

// A text goes on only with ids that are allowed. So its tokens are those chosen from logits in which all
// others are -inf, whatever shortcuts are taken on the way.
class Constraint {
 public:
  virtual ~Constraint() = default;

  // May `id` come next? False for an id that is not in the vocabulary.
  virtual bool allows(int32_t id) = 0;
  // All that may; valid until the next call that is not const.
  virtual const IdSet& allowed() = 0;
  // How many those are. None: the text has ended, or no token goes on as it would have to.
  virtual int64_t choices() = 0;
  // The only id of allowed(), if it is the only one: it comes next whatever the logits are. Nothing where
  // several may come; which bytes must come next does not matter to it, for they may be cut into tokens
  // in several ways, of which the logits choose one.
  virtual std::optional<int32_t> forced() = 0;
  // `id` comes next. Error, and nothing has changed, for an id that is not allowed.
  virtual void accept(int32_t id) = 0;
  // As if the last `tokens` ids, at most accepted() of them, had not come.
  virtual void roll_back(int64_t tokens) = 0;
  virtual int64_t accepted() const = 0;
  // Nothing may follow: an end id has come, or the text is whole and there is no end id to say so.
  virtual bool ended() = 0;
  // A new text.
  virtual void restart() = 0;
};

}  // namespace lmc
