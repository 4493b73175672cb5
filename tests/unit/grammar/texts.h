// A grammar over a vocabulary of single bytes: which texts it takes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/grammar_constraint.h"

namespace lmc::grammar::test {

// Ids 0 … 255 are bytes; then `more`, then the end of the text.
inline std::shared_ptr<const Vocabulary> bytes_and(std::vector<std::string> more = {}) {
  std::vector<std::string> texts;
  for (int b = 0; b < 256; ++b) texts.emplace_back(1, static_cast<char>(b));
  texts.insert(texts.end(), more.begin(), more.end());
  texts.emplace_back();
  const auto end = static_cast<int32_t>(texts.size() - 1);
  return std::make_shared<const Vocabulary>(std::move(texts), std::vector<int32_t>{end});
}

class Texts {
 public:
  explicit Texts(const Grammar& grammar) : machine_(grammar), states_(machine_) {}
  bool takes(std::string_view text) {
    const StateId s = states_.next(states_.start(), text);
    return s != States::kDead && states_.may_end(s);
  }
  bool begins(std::string_view text) { return states_.next(states_.start(), text) != States::kDead; }

 private:
  Machine machine_;
  States states_;
};

}  // namespace lmc::grammar::test
