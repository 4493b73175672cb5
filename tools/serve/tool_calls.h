// Calls of tools in what a model writes: found by the marks that its chat template uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/fields.h"

namespace lmc::serve {

struct ToolCall {
  std::string name;
  Json arguments;  // an object
};

// How calls are marked: `begin` JSON `end`, again and again. With an empty `begin` a text that is JSON from
// its first character on is one.
struct ToolMarks {
  std::string begin, end;
};
ToolMarks tool_marks_of(std::string_view template_source);

// Takes an answer apart as it comes.
class ToolCallText {
 public:
  ToolCallText(ToolMarks marks, std::vector<std::string> names)
      : marks_(std::move(marks)), names_(std::move(names)) {}

  // What can be shown now: nothing that is, or may become, part of a call.
  std::string push(std::string_view piece);
  // The end: what was held back and is no call of a tool that was offered.
  std::string finish();
  const std::vector<ToolCall>& calls() const { return calls_; }  // after finish()

 private:
  bool read_calls(std::string_view json);

  ToolMarks marks_;
  std::vector<std::string> names_;
  std::string pending_;
  bool in_call_ = false, begun_ = false;
  std::vector<ToolCall> calls_;
};

}  // namespace lmc::serve
