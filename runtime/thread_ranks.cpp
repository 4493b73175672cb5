#include "runtime/thread_ranks.h"

#include <cstring>
#include <map>
#include <numeric>
#include <utility>

#include "ir/error.h"

namespace lmc {

// Where messages lie until they are taken: each is what one rank sends another in the collective of one
// number.
struct ThreadRanks::Post {
  struct Address {
    size_t from, to;
    int64_t number;
    auto operator<=>(const Address&) const = default;
  };

  void put(const Address& address, std::vector<std::byte> message) {
    const std::lock_guard lock(mutex);
    messages[address] = std::move(message);
    all.notify_all();
  }
  std::vector<std::byte> take(const Address& address) {
    std::unique_lock lock(mutex);
    all.wait(lock, [&] { return messages.contains(address) || !failure.empty(); });
    if (!failure.empty()) throw Error(failure);
    return std::move(messages.extract(address).mapped());
  }

  explicit Post(int64_t size) : ranks(size) {}
  const int64_t ranks;
  std::mutex mutex;
  std::condition_variable all;
  std::map<Address, std::vector<std::byte>> messages;
  std::string failure;
};

class ThreadRanks::End : public Collective {
 public:
  End(Post& post, size_t rank) : post_(post), rank_(rank) {}

  int64_t rank() const override { return static_cast<int64_t>(rank_); }
  int64_t ranks() const override { return post_.ranks; }

  std::unique_ptr<Gathering> begin_gather(std::byte* rows, int64_t count, const PlanGather& gather) override {
    const int64_t number = ++number_;
    const int64_t at = std::accumulate(gather.bytes.begin(),
                                       gather.bytes.begin() + static_cast<ptrdiff_t>(rank_), int64_t{0});
    std::vector<std::byte> mine;
    for (int64_t i = 0; i < count; ++i) {
      const std::byte* row = rows + i * gather.stride + at;
      mine.insert(mine.end(), row, row + gather.bytes[rank_]);
    }
    for (size_t r = 0; r < gather.bytes.size() && !mine.empty(); ++r) {
      if (r != rank_ && gather.gets(static_cast<int64_t>(r))) post_.put({rank_, r, number}, mine);
    }
    return std::make_unique<Rows>(post_, rank_, number, rows, count, gather);
  }

  void broadcast(std::vector<std::byte>& message) override {
    const int64_t number = ++number_;
    for (size_t r = 1; rank_ == 0 && r < static_cast<size_t>(post_.ranks); ++r)
      post_.put({0, r, number}, message);
    if (rank_ != 0) message = post_.take({0, rank_, number});
  }

 private:
  class Rows : public Gathering {
   public:
    Rows(Post& post, size_t rank, int64_t number, std::byte* rows, int64_t count, const PlanGather& gather)
        : post_(post), rank_(rank), number_(number), rows_(rows), count_(count), gather_(gather) {}

    void end() override {
      int64_t at = 0;
      for (size_t r = 0; r < gather_.bytes.size(); ++r) {
        if (r != rank_ && gather_.bytes[r] > 0 && count_ > 0 && gather_.gets(static_cast<int64_t>(rank_)))
          write(post_.take({r, rank_, number_}), r, at);
        at += gather_.bytes[r];
      }
    }

   private:
    void write(const std::vector<std::byte>& message, size_t from, int64_t at) {
      const auto size = static_cast<size_t>(gather_.bytes[from]);
      if (message.size() != size * static_cast<size_t>(count_))
        throw Error("rank " + std::to_string(from) + " gathers something else than rank " +
                    std::to_string(rank_));
      for (int64_t i = 0; i < count_; ++i)
        std::memcpy(rows_ + i * gather_.stride + at, message.data() + static_cast<size_t>(i) * size, size);
    }

    Post& post_;
    const size_t rank_;
    const int64_t number_;
    std::byte* rows_;
    const int64_t count_;
    const PlanGather gather_;
  };

  Post& post_;
  const size_t rank_;
  int64_t number_ = 0;
};

ThreadRanks::ThreadRanks(int64_t ranks) : post_(std::make_unique<Post>(ranks)) {
  for (int64_t r = 0; r < ranks; ++r) ends_.push_back(std::make_unique<End>(*post_, static_cast<size_t>(r)));
}

ThreadRanks::~ThreadRanks() = default;

void ThreadRanks::fail(const std::string& message) {
  const std::lock_guard lock(post_->mutex);
  if (post_->failure.empty()) post_->failure = message;
  post_->all.notify_all();
}

}  // namespace lmc
