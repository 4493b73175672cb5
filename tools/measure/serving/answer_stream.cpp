#include "tools/measure/serving/answer_stream.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

constexpr size_t kLongestLine = size_t{4} << 20;

}  // namespace

void AnswerStream::push(std::string_view bytes, double at) {
  int64_t came = 0;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (line_.size() > kLongestLine) throw Error(name_ + ": a line of the answer is too long");
    if (end == bytes.npos) break;
    bytes.remove_prefix(end + 1);
    came += tokens_in(line_);
    line_.clear();
  }
  if (came == 0) return;
  tokens_ += came;
  if (tokens_ > most_)
    throw Error(name_ + ": answers with more than the " + std::to_string(most_) + " tokens it was asked for");
  pieces_.push_back({at, came});
}

// One event is one line, "data: {…}".
int64_t AnswerStream::tokens_in(std::string_view line) {
  constexpr std::string_view kData = "data: ";
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty() || line.starts_with(':')) return 0;
  if (!line.starts_with(kData)) throw Error(name_ + ": answers with what is no stream of events");
  const nlohmann::json event = parse_json(line.substr(kData.size()), name_);
  if (!event.is_object()) throw Error(name_ + ": answers with an event that is no object");
  if (const auto error = event.find("error"); error != event.end()) {
    const nlohmann::json text = error->is_object() ? error->value("message", nlohmann::json()) : *error;
    throw Error(name_ + ": " + (text.is_string() ? text.get<std::string>() : "an answer failed"));
  }
  ended_ = ended_ || (event.contains("stop") && event["stop"] == true);
  if (const auto timings = event.find("timings"); timings != event.end() && timings->is_object()) {
    const auto reused = timings->find("cache_n");
    if (reused != timings->end() && reused->is_number_unsigned())
      reused_ = static_cast<int64_t>(std::min<uint64_t>(reused->get<uint64_t>(), INT32_MAX));
  }
  const auto tokens = event.find("tokens");
  if (tokens != event.end() && tokens->is_array() && !tokens->empty())
    return static_cast<int64_t>(tokens->size());
  // A server that does not tell them: a piece of text is a token.
  const auto content = event.find("content");
  return !ended_ && content != event.end() && content->is_string() && *content != "" ? 1 : 0;
}

void AnswerStream::finish() const {
  if (!ended_) throw Error(name_ + ": an answer ended too early");
}

}  // namespace lmc
