#include "tools/serve/tool_calls.h"

#include <algorithm>
#include <array>

#include "models/text/json_text.h"

namespace lmc::serve {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// {"name": …, "arguments" or "parameters": {…}}
bool read_call(const Json& j, const std::vector<std::string>& names, ToolCall& out) {
  if (!j.is_object() || !j.contains("name") || !j["name"].is_string()) return false;
  out.name = j["name"].get<std::string>();
  if (std::find(names.begin(), names.end(), out.name) == names.end()) return false;
  out.arguments = Json::object();
  for (const char* key : {"arguments", "parameters"}) {
    if (j.contains(key)) out.arguments = j[key];
  }
  return out.arguments.is_object();
}

}  // namespace

ToolMarks tool_marks_of(std::string_view source) {
  static const std::array<ToolMarks, 4> kKnown = {{{"<tool_call>", "</tool_call>"},
                                                   {"[TOOL_CALLS]", ""},
                                                   {"<|tool_call|>", ""},
                                                   {"<|python_tag|>", "<|eom_id|>"}}};
  for (const ToolMarks& marks : kKnown) {
    if (source.find(marks.begin) != std::string_view::npos) return marks;
  }
  return {};
}

std::string ToolCallText::push(std::string_view piece) {
  pending_ += piece;
  if (in_call_) return "";
  if (marks_.begin.empty()) {
    const size_t first = pending_.find_first_not_of(kBlank);
    if (!begun_ && first == std::string::npos) return "";
    in_call_ = !begun_ && (pending_[first] == '{' || pending_[first] == '[');
    begun_ = true;
    return in_call_ ? "" : std::exchange(pending_, {});
  }
  if (const size_t at = pending_.find(marks_.begin); at != std::string::npos) {
    in_call_ = true;
    std::string before = pending_.substr(0, at);
    pending_.erase(0, at);
    return before;
  }
  size_t held = std::min(marks_.begin.size() - 1, pending_.size());
  while (pending_.compare(pending_.size() - held, held, marks_.begin, 0, held) != 0) --held;
  std::string out = pending_.substr(0, pending_.size() - held);
  pending_.erase(0, out.size());
  return out;
}

std::string ToolCallText::finish() {
  std::string_view left = pending_;
  std::string text;
  if (marks_.begin.empty()) {
    if (!in_call_ || !read_calls(left)) text = left;
    return text;
  }
  while (!left.empty()) {
    const size_t begin = std::min(left.find(marks_.begin), left.size());
    text += trimmed(left.substr(0, begin));
    left.remove_prefix(begin);
    if (left.empty()) break;
    const size_t body = marks_.begin.size();
    const size_t next = std::min(left.find(marks_.begin, body), left.size());
    const size_t end = marks_.end.empty() ? next : std::min(left.find(marks_.end, body), next);
    const size_t behind = std::min(end + (end < next ? marks_.end.size() : 0), left.size());
    if (!read_calls(left.substr(body, end - body))) text += left.substr(0, behind);
    left.remove_prefix(behind);
  }
  return text;
}

// One call, or a list of them. False, and nothing taken, for anything else.
bool ToolCallText::read_calls(std::string_view json) {
  std::vector<ToolCall> found;
  try {
    const Json j = parse_ordered_json(trimmed(json), "a call");
    const Json list = j.is_array() ? j : Json::array({j});
    for (const Json& one : list) {
      if (!read_call(one, names_, found.emplace_back())) return false;
    }
  } catch (const Error&) {
    return false;
  }
  calls_.insert(calls_.end(), found.begin(), found.end());
  return !found.empty();
}

}  // namespace lmc::serve
