// Are the weights what their hash says? Asked while nobody waits for tokens.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "tools/bundle/bundle.h"

namespace lmc {

// Reads the weights once, some at a time, on a thread that others go before (nice), and only
// while `busy` says no: beside a decode step, which is as fast as memory is, it would cost what it reads.
class IdleCheck {
 public:
  // `busy` is called by that thread, and so is `on_damage`, once, with the message. The bundle must outlive
  // this.
  IdleCheck(const Bundle& bundle, std::function<bool()> busy, std::function<void()> on_damage = {});
  ~IdleCheck();  // what has not been read by then is not looked at
  IdleCheck(const IdleCheck&) = delete;
  IdleCheck& operator=(const IdleCheck&) = delete;

  // Error naming the file, if it has been found to be damaged.
  void throw_if_damaged() const;

 private:
  void read();

  const Bundle& bundle_;
  std::function<bool()> busy_;
  std::function<void()> on_damage_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::string damage_;
  std::thread thread_;  // the last, so that it sees all others
};

}  // namespace lmc
