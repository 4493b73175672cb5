// The file of requests of `lmc bench --serve`, and what a server says to them.
#include "tools/measure/serving/traffic.h"

#include "fuzz.h"
#include "ir/error.h"
#include "tools/measure/serving/answer_stream.h"

namespace {

// Tokens that came, or -1 for what is no answer.
int64_t tokens_of(std::string_view text, size_t piece) {
  lmc::AnswerStream stream("the server", 1000);
  try {
    for (size_t at = 0; at < text.size(); at += piece)
      stream.push(text.substr(at, piece), static_cast<double>(at));
    stream.finish();
  } catch (const lmc::Error& e) {
    lmc::fuzz::require(*e.what() != 0, "an error without a message");
    return -1;
  }
  int64_t sum = 0;
  for (const auto& p : stream.pieces()) sum += p.tokens;
  lmc::fuzz::require(sum == stream.tokens() && sum <= 1000, "pieces are not all tokens");
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = lmc::fuzz::text(data, size);
  const int64_t whole = tokens_of(text, size + 1);
  lmc::fuzz::require(tokens_of(text, 5) == whole, "tokens depend on how the bytes come");
  lmc::fuzz::accepted = whole > 0;
  try {
    for (const lmc::TrafficRequest& r : lmc::traffic_in(std::string(text), "requests.jsonl")) {
      lmc::fuzz::accepted = true;
      lmc::fuzz::require(r.prompt >= 1 && r.answer >= 1 && r.shared >= 0 && r.shared <= r.prompt,
                         "a length out of its range");
    }
  } catch (const lmc::Error& e) {
    lmc::fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
