// What may work when tried again: connections that failed, and a server that is busy (429) or in trouble
// (5xx).
#pragma once

#include <functional>

#include "tools/hub/http.h"

namespace lmc {

struct Retry {
  int times = 5;                    // after the first attempt; anew once `gets_on` bytes of the body came
  int64_t gets_on = 1;              // less is a failure like any other: it could go on for ever
  std::function<bool()> cancelled;  // asked while waiting; true ends it with Interrupted
};

// The first answer of `attempt` that is neither of these, or the last one. Waits between attempts: as long as
// Retry-After says (at most a minute: what asks for more is the last answer), else 0.5, 1, 2, … 8 s, or a
// moment if it got on. The last TransferFailed is thrown on.
HttpResponse with_retries(const Retry& retry, const std::function<HttpResponse()>& attempt);

}  // namespace lmc
