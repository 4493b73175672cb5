#include "tools/generate/batch_answers.h"

#include <algorithm>

#include "tools/cli/console.h"
#include "tools/cli/text_io.h"

namespace lmc {
namespace {

class BatchRecords {
 public:
  BatchRecords(Engine& engine, const BatchWork& work) : engine_(engine), work_(work) {}

  // What can be answered, and what is wrong with the rest.
  void read(const GenerationFlags& flags,
            const std::function<std::vector<int32_t>(const std::string& prompt)>& encode) {
    for (size_t i = 0; i < work_.lines.size(); ++i) {
      const BatchLine& line = work_.lines[i];
      std::string wrong = line.error;
      std::vector<int32_t> ids;
      try {
        if (wrong.empty()) {
          ids = encode(line.prompt);
          engine_.session().check_prompt(ids);
        }
      } catch (const Error& e) {
        wrong = Error({work_.file, static_cast<int>(i) + 1}, e.what()).what();
      }
      errors_.push_back(wrong);
      if (!wrong.empty()) continue;
      const int64_t most = line.max_tokens.value_or(flags.generate.max_tokens);
      details.max_tokens.push_back(most < 0 ? INT64_MAX : most);
      prompts.push_back(std::move(ids));
    }
  }

  void ended(size_t prompt, const Answer& a) {
    write_errors();
    write_stdout(answer_json(engine_, prompts[prompt], 0, a, work_.json));
    const Generated& g = a.generated;
    ++next_;
    tokens += g.ids.size();
    drafted += g.drafted;
    accepted += g.accepted;
    late += g.reason == StopReason::timeout ? 1 : 0;
    if (g.reason != StopReason::failed) return;
    ++failed;
    info("{}", Error({work_.file, static_cast<int>(next_)}, g.failure).what());
  }

  // Of the lines from the last record to the next answer.
  void write_errors() {
    for (; next_ < errors_.size() && !errors_[next_].empty(); ++next_) {
      write_stdout(error_json(errors_[next_]));
      info("{}", errors_[next_]);
      ++failed;
    }
  }

  std::vector<std::vector<int32_t>> prompts;
  BatchDetails details;
  size_t tokens = 0, late = 0, failed = 0;
  int64_t drafted = 0, accepted = 0;

 private:
  Engine& engine_;
  const BatchWork& work_;
  std::vector<std::string> errors_;  // of each line; "": it is answered
  size_t next_ = 0;                  // the first line without a record
};

}  // namespace

void answer_lines(Engine& engine, const BatchWork& work, const GenerationFlags& flags,
                  const std::function<std::vector<int32_t>(const std::string& prompt)>& encode) {
  BatchRecords records(engine, work);
  records.read(flags, encode);
  records.details.top_logprobs = work.top_logprobs;
  const int64_t at_a_time =
      std::clamp<int64_t>(static_cast<int64_t>(records.prompts.size()), 1, work.at_a_time);
  const auto start = std::chrono::steady_clock::now();
  const bool finished = answer_all(
      engine, records.prompts, flags, work.hide_stop_ids, at_a_time,
      [&](size_t prompt, const Answer& a) { records.ended(prompt, a); }, records.details);
  if (!finished) throw Interrupted();
  records.write_errors();
  const double seconds = seconds_since(start);
  if (records.late > 0) info("{} ended by --timeout", records.late);
  info("{} prompts, {} at a time: {} tokens in {:.2f} s, {:.1f} tokens/s in all", records.prompts.size(),
       at_a_time, records.tokens, seconds, static_cast<double>(records.tokens) / seconds);
  if (const std::string text = acceptance_text(records.drafted, records.accepted); !text.empty())
    info("{}", text);
  if (records.failed > 0)
    throw Error(fmt::format("{}: {} of {} prompts failed", work.file, records.failed, work.lines.size()));
}

}  // namespace lmc
