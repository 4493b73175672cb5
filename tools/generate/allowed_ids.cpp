#include "tools/generate/allowed_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "ir/error.h"
#include "ir/files.h"

namespace lmc {
namespace {

constexpr uintmax_t kMostBytes = uintmax_t{64} << 20;
constexpr std::string_view kBetween = " \t\r,";

struct Range {
  int64_t first, last;
};

class AllowedIdsText {
 public:
  AllowedIdsText(const std::string& file, int64_t vocab)
      : file_(file), vocab_(vocab), begin_(static_cast<size_t>(vocab) + 1) {}

  IdSet read(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      read_line(line.substr(0, line.find('#')));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!any_) throw Error(file_ + ": names no token: nothing could be chosen");
    IdSet out(vocab_);
    int64_t inside = 0;
    for (int64_t id = 0; id < vocab_; ++id) {
      inside += begin_[static_cast<size_t>(id)];
      if (inside > 0) out.add(id, id);
    }
    return out;
  }

 private:
  void read_line(std::string_view line) {
    for (;;) {
      line.remove_prefix(std::min(line.find_first_not_of(kBetween), line.size()));
      if (line.empty()) return;
      const std::string_view word = line.substr(0, line.find_first_of(kBetween));
      line.remove_prefix(word.size());
      const Range range = range_of(word);
      ++begin_[static_cast<size_t>(range.first)];
      --begin_[static_cast<size_t>(range.last) + 1];
      any_ = true;
    }
  }

  Range range_of(std::string_view word) const {
    const size_t dash = word.find('-', 1);
    const int64_t first = id_of(word.substr(0, dash), word);
    const int64_t last = dash == std::string_view::npos ? first : id_of(word.substr(dash + 1), word);
    if (last < first) refuse(word, "ends before it begins");
    return {first, last};
  }

  int64_t id_of(std::string_view digits, std::string_view word) const {
    int64_t id = -1;
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (r.ptr != digits.data() + digits.size() || digits.empty() || r.ec == std::errc::invalid_argument ||
        digits[0] == '-')
      refuse(word, "is no token id, nor a range such as 5-10");
    if (r.ec != std::errc() || id >= vocab_)
      refuse(word, fmt::format("is not in the vocabulary of {}", vocab_));
    return id;
  }

  [[noreturn]] void refuse(std::string_view word, const std::string& why) const {
    constexpr size_t kShown = 40;
    throw Error({file_, line_},
                fmt::format("'{}{}' {}", word.substr(0, kShown), word.size() > kShown ? "…" : "", why));
  }

  const std::string& file_;
  const int64_t vocab_;
  std::vector<int64_t> begin_;  // by id: ranges that begin there, less those that ended right before
  int line_ = 0;
  bool any_ = false;
};

}  // namespace

IdSet read_allowed_ids(const std::string& file, int64_t vocab) {
  std::error_code ec;
  const bool large =
      std::filesystem::is_regular_file(file, ec) && std::filesystem::file_size(file, ec) > kMostBytes;
  if (large)
    throw Error(
        fmt::format("{}: is more than {} MB; ranges such as 5-10 make it short", file, kMostBytes >> 20));
  return allowed_ids_in(read_input(file), file, vocab);
}

IdSet allowed_ids_in(std::string_view text, const std::string& file, int64_t vocab) {
  return AllowedIdsText(file, vocab).read(text);
}

}  // namespace lmc
