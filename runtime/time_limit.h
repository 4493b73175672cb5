// A session's deadline for as long as this lives.
#pragma once

#include "runtime/session.h"

namespace lmc {

class TimeLimit {
 public:
  TimeLimit(Session& session, Session::Deadline deadline) : session_(session) {
    session_.set_deadline(deadline);
  }
  ~TimeLimit() { session_.set_deadline(std::nullopt); }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  Session& session_;
};

}  // namespace lmc
