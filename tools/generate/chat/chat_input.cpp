#include "tools/generate/chat/chat_input.h"

#include <unistd.h>

#include <cstdio>

namespace lmc {
namespace {

constexpr const char* kPrompt = "> ";
constexpr const char* kGoOn = ". ";
constexpr std::string_view kFence = "\"\"\"";

}  // namespace

ChatInput::ChatInput(const std::vector<std::string>& commands, bool keep)
    : history_(keep && LineEditor::possible() ? chat_history_file() : "") {
  if (!LineEditor::possible()) return;
  editor_ = std::make_unique<LineEditor>(commands);
  for (const std::string& text : history_.load()) editor_->remember(text);
}

LineReader::Event ChatInput::next(std::string& text) {
  if (!editor_) {
    if (::isatty(STDIN_FILENO)) std::fputs(kPrompt, stderr);
    text.clear();
    return reader_.next(text);
  }
  const LineReader::Event event = whole(text);
  if (event == LineReader::Event::line && text.find_first_not_of(" \t\n") != std::string::npos) {
    editor_->remember(text);
    history_.add(text);
  }
  return event;
}

// Of one line or several. The end of the input within them is the end of them.
LineReader::Event ChatInput::whole(std::string& text) {
  std::string line;
  LineReader::Event event = editor_->next(kPrompt, line);
  if (event != LineReader::Event::line) {
    text = line;
    return event;
  }
  const bool fenced = line.starts_with(kFence);
  if (fenced) line.erase(0, kFence.size());
  for (text = line;;) {
    if (fenced && text.ends_with(kFence)) {
      text.resize(text.size() - kFence.size());
      if (text.starts_with('\n')) text.erase(0, 1);
      if (text.ends_with('\n')) text.pop_back();
      return event;
    }
    if (!fenced && !text.ends_with('\\')) return event;
    if (!fenced) text.pop_back();
    event = editor_->next(kGoOn, line);
    if (event == LineReader::Event::interrupted) {
      text += "\n" + line;
      return event;
    }
    if (event == LineReader::Event::end) return LineReader::Event::line;
    text += "\n" + line;
  }
}

}  // namespace lmc
