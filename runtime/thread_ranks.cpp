#include "runtime/thread_ranks.h"

#include <cstring>
#include <span>

#include "ir/error.h"

namespace lmc {

// Where all ranks meet: what each shows the others, and who is there.
struct ThreadRanks::Meeting {
  explicit Meeting(int64_t ranks) : shown(static_cast<size_t>(ranks)) {}

  void wait() {
    std::unique_lock lock(mutex);
    const int64_t round = rounds;
    if (++there == static_cast<int64_t>(shown.size())) {
      there = 0;
      ++rounds;
      all.notify_all();
    } else {
      all.wait(lock, [&] { return rounds != round || !failure.empty(); });
    }
    if (!failure.empty()) throw Error(failure);
  }

  struct Shown {
    const std::byte* rows = nullptr;
    int64_t count = 0, stride = 0;
    const std::vector<std::byte>* message = nullptr;
  };

  std::vector<Shown> shown;  // by rank; written in front of a meeting, read behind it
  std::mutex mutex;
  std::condition_variable all;
  int64_t there = 0, rounds = 0;
  std::string failure;
};

class ThreadRanks::End : public Collective {
 public:
  End(Meeting& meeting, size_t rank) : meeting_(meeting), rank_(rank) {}

  int64_t rank() const override { return static_cast<int64_t>(rank_); }
  int64_t ranks() const override { return static_cast<int64_t>(meeting_.shown.size()); }

  void all_gather(std::byte* rows, int64_t count, const PlanGather& gather) override {
    meeting_.shown[rank_] = {rows, count, gather.stride, nullptr};
    meeting_.wait();
    int64_t at = 0;
    for (size_t r = 0; r < meeting_.shown.size(); ++r) {
      const Meeting::Shown& other = meeting_.shown[r];
      if (other.count != count || other.stride != gather.stride)
        throw Error("rank " + std::to_string(r) + " gathers something else than rank " +
                    std::to_string(rank_));
      for (int64_t i = 0; r != rank_ && gather.gets(rank()) && i < count; ++i)
        std::memcpy(rows + i * gather.stride + at, other.rows + i * gather.stride + at,
                    static_cast<size_t>(gather.bytes[r]));
      at += gather.bytes[r];
    }
    meeting_.wait();  // before anybody writes to what is still read
  }

  void broadcast(std::vector<std::byte>& message) override {
    if (rank_ == 0) meeting_.shown[0].message = &message;
    meeting_.wait();
    if (rank_ != 0) message = *meeting_.shown[0].message;
    meeting_.wait();
  }

 private:
  Meeting& meeting_;
  const size_t rank_;
};

ThreadRanks::ThreadRanks(int64_t ranks) : meeting_(std::make_unique<Meeting>(ranks)) {
  for (int64_t r = 0; r < ranks; ++r)
    ends_.push_back(std::make_unique<End>(*meeting_, static_cast<size_t>(r)));
}

ThreadRanks::~ThreadRanks() = default;

void ThreadRanks::fail(const std::string& message) {
  const std::lock_guard lock(meeting_->mutex);
  if (meeting_->failure.empty()) meeting_->failure = message;
  meeting_->all.notify_all();
}

}  // namespace lmc
