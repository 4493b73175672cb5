// What a session may choose for as long as this lives.
#pragma once

#include "runtime/session.h"

namespace lmc {

class Restriction {
 public:
  // Null: what it may choose anyway.
  Restriction(Session& session, const IdSet* ids) : session_(session), usual_(session.allowed()) {
    if (ids) session_.set_allowed(ids);
  }
  ~Restriction() { session_.set_allowed(usual_); }
  Restriction(const Restriction&) = delete;
  Restriction& operator=(const Restriction&) = delete;

 private:
  Session& session_;
  const IdSet* usual_;
};

}  // namespace lmc
