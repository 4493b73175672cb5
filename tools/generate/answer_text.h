// An answer's text as ids come: whole characters, up to the first stop string.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/tokenizer/tokenizer.h"
#include "tools/generate/stop_strings.h"

namespace lmc {

class AnswerText {
 public:
  using Show = std::function<void(const std::string&)>;

  // Without a tokenizer the text is the ids, each with a space behind it. `hidden` ids show nothing.
  AnswerText(const Tokenizer* tokenizer, std::vector<std::string> stops, std::span<const int32_t> hidden,
             Show show = {}, bool skip_special = true);

  // False once a stop string has come.
  bool push(int32_t id);
  // What was held back; no id may follow.
  void finish();
  const std::string& text() const { return text_; }  // as far as it was shown
  bool stopped() const { return stops_.matched(); }

 private:
  void hand_out(const std::string& piece);

  std::vector<int32_t> hidden_;
  std::optional<StreamDecoder> decoder_;
  StopStrings stops_;
  Show show_;
  std::string text_;
};

}  // namespace lmc
