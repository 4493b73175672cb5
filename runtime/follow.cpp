#include "runtime/follow.h"

#include <span>
#include <string>

#include "ir/error.h"
#include "runtime/message.h"
#include "runtime/row_check.h"

namespace lmc {
namespace {

constexpr int32_t kMostSequences = 1 << 20;

struct RowMessage {
  int64_t position, length;
  int32_t sequence, token;
  int64_t logits;  // wanted?
};

void send(Collective& collective, MessageWriter& message) {
  std::vector<std::byte> bytes = message.take();
  collective.broadcast(bytes);
}

void put(MessageWriter& message, const LogitRequest& r) {
  message.put(r.count);
  message.put(r.temperature);
  message.put(int64_t{r.sum});
  message.put_all(r.named);
  message.put_all(r.allowed);
}

LogitRequest get_request(MessageReader& message) {
  LogitRequest out;
  out.count = message.get<int64_t>();
  out.temperature = message.get<double>();
  out.sum = message.get<int64_t>() != 0;
  out.named = message.get_all<int32_t>();
  out.allowed = message.get_all<uint8_t>();
  return out;
}

LogitDraw get_draw(MessageReader& message) {
  LogitDraw out;
  out.row = message.get<int64_t>();
  out.rank = message.get<int64_t>();
  out.temperature = message.get<double>();
  out.top = message.get<double>();
  out.left = message.get<double>();
  out.margin = message.get<double>();
  out.named = message.get_all<KnownLogit>();
  out.allowed = message.get_all<uint8_t>();
  return out;
}

}  // namespace

void announce(Collective& collective, std::span<const StepRow> rows, const LogitWish& wish) {
  MessageWriter message;
  message.put(Order::Kind::step);
  message.put(static_cast<int64_t>(rows.size()));
  for (const StepRow& row : rows)
    message.put(RowMessage{row.sequence->position(), row.length, row.sequence->number.value(), row.token,
                           int64_t{row.logits}});
  message.put(int64_t{wish.likeliest});
  message.put(static_cast<int64_t>(wish.requests.size()));
  for (const LogitRequest& r : wish.requests) put(message, r);
  send(collective, message);
}

void announce_end(Collective& collective) {
  MessageWriter message;
  message.put(Order::Kind::end);
  send(collective, message);
}

void announce_draw(Collective& collective, const LogitDraw& d) {
  MessageWriter message;
  message.put(Order::Kind::draw);
  message.put(d.row);
  message.put(d.rank);
  message.put(d.temperature);
  message.put(d.top);
  message.put(d.left);
  message.put(d.margin);
  message.put_all(d.named);
  message.put_all(d.allowed);
  send(collective, message);
}

void announce_gathering(Collective& collective, int64_t rows) {
  MessageWriter message;
  message.put(Order::Kind::gather);
  message.put(rows);
  send(collective, message);
}

Order Follower::next() {
  collective_.broadcast(message_);
  MessageReader message(message_);
  Order out;
  out.kind = message.get<Order::Kind>();
  if (out.kind == Order::Kind::draw) out.draw = get_draw(message);
  if (out.kind == Order::Kind::gather) out.count = message.get<int64_t>();
  if (out.kind != Order::Kind::step) return out;
  rows_.clear();
  requests_.clear();
  for (auto rows = message.get<int64_t>(); rows > 0; --rows) add_row(message);
  check_rows(rows_, plan_);
  out.wish.likeliest = message.get<int64_t>() != 0;
  for (auto n = message.get<int64_t>(); n > 0; --n) requests_.push_back(get_request(message));
  out.wish.requests = requests_;
  out.rows = rows_;
  return out;
}

void Follower::add_row(MessageReader& message) {
  const auto row = message.get<RowMessage>();
  if (row.sequence < 0 || row.sequence >= kMostSequences)
    throw Error("rank 0 has announced a sequence " + std::to_string(row.sequence));
  Sequence& s = sequence(row.sequence);
  if (row.position == 0 && s.position() > 0) s.reset();
  if (row.position != s.position() && !s.roll_back(row.position))
    throw Error("rank 0 goes on at position " + std::to_string(row.position) + " of a sequence that has " +
                std::to_string(s.position()) + " on rank " + std::to_string(collective_.rank()));
  rows_.push_back({&s, row.token, row.logits != 0, row.length});
}

Sequence& Follower::sequence(int32_t number) {
  const auto i = static_cast<size_t>(number);
  if (i >= sequences_.size()) sequences_.resize(i + 1);
  if (!sequences_[i]) sequences_[i] = std::make_unique<Sequence>(plan_);
  return *sequences_[i];
}

}  // namespace lmc
