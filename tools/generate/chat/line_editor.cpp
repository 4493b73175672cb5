#include "tools/generate/chat/line_editor.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <exception>
#include <utility>

#include "models/text/utf8.h"
#include "tools/cli/console.h"
#include "tools/cli/terminal_mode.h"
#include "tools/generate/chat/typed_bytes.h"

namespace lmc {
namespace {

static_assert(sizeof(wchar_t) == sizeof(char32_t));

constexpr size_t kMostPasted = 16 << 20;  // characters; what is beyond is lost, and that is said
constexpr int kMostRemembered = 1000;

std::wstring wide_of(std::string_view text) {
  std::wstring out;
  while (!text.empty()) {
    const tokenizer::Utf8Char c = tokenizer::first_char(text);
    out += static_cast<wchar_t>(c.state == tokenizer::Utf8State::kValid ? c.code : U'\uFFFD');
    text.remove_prefix(std::min<size_t>(c.length, text.size()));
  }
  return out;
}

std::string utf8_of(std::wstring_view text) {
  std::string out;
  for (const wchar_t c : text) tokenizer::append_utf8(out, static_cast<char32_t>(c));
  return out;
}

// libedit writes wide characters as the locale says.
void use_utf8() {
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
}

}  // namespace

struct LineEditor::Parts {
  struct File {
    std::FILE* file = nullptr;
    bool own = false;
    ~File() {
      if (own && file) std::fclose(file);
    }
  };

  File out;
  TerminalMode mode{STDIN_FILENO};
  EditLine* edit = nullptr;
  HistoryW* history = nullptr;
  TypedBytes typed{STDIN_FILENO, [this](bool stopped) { look_again(stopped); }};
  std::vector<std::wstring> words;
  std::wstring prompt;
  bool was_interrupted = false;
  std::string dropped;  // what had been typed when it was
  bool lost = false;    // of a paste that was too long
  std::exception_ptr failure;

  ~Parts() {
    if (history) ::history_wend(history);
    if (edit) ::el_end(edit);
  }

  // The window may be another size, and the terminal in the mode that a shell wants.
  void look_again(bool stopped) {
    ::el_resize(edit);
    if (stopped) {
      ::el_wset(edit, EL_PREP_TERM, 0);
      ::el_wset(edit, EL_PREP_TERM, 1);
    }
    ::el_wset(edit, EL_REFRESH);
  }

  // 1: a character, 0: the end, -1: no more of this line. What is thrown must not pass through C.
  int read(wchar_t* c) {
    try {
      char32_t character = 0;
      const TypedBytes::Read read = typed.next(character);
      *c = static_cast<wchar_t>(character);
      was_interrupted = read == TypedBytes::Read::interrupted;
      if (was_interrupted) {
        const LineInfoW* const line = ::el_wline(edit);
        dropped = utf8_of({line->buffer, static_cast<size_t>(line->lastchar - line->buffer)});
      }
      return was_interrupted ? -1 : read == TypedBytes::Read::end ? 0 : 1;
    } catch (...) {
      failure = std::current_exception();
      return -1;
    }
  }

  // Up to the end's mark. Line ends come as a terminal's Enter; other control characters say nothing.
  bool read_paste(std::wstring& out) {
    static constexpr std::wstring_view kEnd = L"\033[201~";
    wchar_t c = 0;
    for (bool after_return = false; read(&c) == 1;) {
      const bool second_half = after_return && c == L'\n';
      after_return = c == L'\r';
      if (second_half) continue;
      if (c == L'\r') c = L'\n';
      if (out.size() >= kMostPasted + kEnd.size()) {
        lost = true;
        out.erase(kMostPasted, 1);
      }
      out += c;
      if (!out.ends_with(kEnd)) continue;
      out.resize(out.size() - kEnd.size());
      std::erase_if(out, [](wchar_t w) { return (w < 0x20 && w != L'\n' && w != L'\t') || w == 0x7f; });
      return true;
    }
    return false;
  }

  // What all words that begin with the text before the cursor go on with.
  std::wstring completion() const {
    const LineInfoW* const line = ::el_wline(edit);
    const std::wstring_view typed_word(line->buffer, static_cast<size_t>(line->cursor - line->buffer));
    std::wstring out;
    bool any = false;
    for (const std::wstring& w : words) {
      if (typed_word.empty() || !w.starts_with(typed_word)) continue;
      const std::wstring rest = w.substr(typed_word.size()) + L" ";
      size_t same = 0;
      while (any && same < std::min(out.size(), rest.size()) && out[same] == rest[same]) ++same;
      out = any ? out.substr(0, same) : rest;
      any = true;
    }
    return out;
  }
};

// What libedit calls: none of it may throw.
struct LineEditor::Calls {
  static Parts& parts(EditLine* edit) {
    void* data = nullptr;
    ::el_wget(edit, EL_CLIENTDATA, &data);
    return *static_cast<Parts*>(data);
  }
  static int read(EditLine* edit, wchar_t* c) { return parts(edit).read(c); }
  static wchar_t* prompt(EditLine* edit) { return parts(edit).prompt.data(); }

  static unsigned char insert(EditLine* edit, const std::wstring& text) {
    if (text.empty()) return CC_NORM;
    return ::el_winsertstr(edit, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }
  static unsigned char paste(EditLine* edit, wint_t) {
    std::wstring text;
    return parts(edit).read_paste(text) ? insert(edit, text) : CC_EOF;
  }
  static unsigned char new_line(EditLine* edit, wint_t) { return insert(edit, L"\n"); }
  static unsigned char complete(EditLine* edit, wint_t) { return insert(edit, parts(edit).completion()); }
};

bool LineEditor::possible() {
  return ::isatty(STDIN_FILENO) != 0 && (::isatty(STDERR_FILENO) != 0 || ::access("/dev/tty", W_OK) == 0);
}

LineEditor::LineEditor(std::vector<std::string> words) : parts_(std::make_unique<Parts>()) {
  Parts& p = *parts_;
  use_utf8();
  for (const std::string& w : words) p.words.push_back(wide_of(w));
  p.out.own = ::isatty(STDERR_FILENO) == 0;
  p.out.file = p.out.own ? std::fopen("/dev/tty", "we") : stderr;
  if (!p.out.file) throw Error(std::string("/dev/tty: cannot open: ") + std::strerror(errno));
  p.edit = ::el_init("lmc", stdin, p.out.file, p.out.file);
  p.history = ::history_winit();
  if (!p.edit || !p.history) throw Error("cannot edit lines on this terminal");
  HistEventW event;
  ::history_w(p.history, &event, H_SETSIZE, kMostRemembered);
  EditLine* const e = p.edit;
  ::el_wset(e, EL_CLIENTDATA, &p);
  ::el_wset(e, EL_EDITOR, L"emacs");
  ::el_wset(e, EL_SIGNAL, 0);
  ::el_wset(e, EL_GETCFN, &Calls::read);
  ::el_wset(e, EL_PROMPT, &Calls::prompt);
  ::el_wset(e, EL_HIST, ::history_w, p.history);
  ::el_wset(e, EL_ADDFN, L"lmc-paste", L"take a paste as it is", &Calls::paste);
  ::el_wset(e, EL_ADDFN, L"lmc-new-line", L"begin a new line of the same text", &Calls::new_line);
  ::el_wset(e, EL_ADDFN, L"lmc-complete", L"complete the first word", &Calls::complete);
  static constexpr std::pair<const wchar_t*, const wchar_t*> kKeys[] = {
      {L"\\e[200~", L"lmc-paste"},    {L"\\e\n", L"lmc-new-line"},     {L"\\e\r", L"lmc-new-line"},
      {L"\t", L"lmc-complete"},       {L"^W", L"ed-delete-prev-word"}, {L"\\e[3~", L"ed-delete-next-char"},
      {L"\\e[H", L"ed-move-to-beg"},  {L"\\e[F", L"ed-move-to-end"},   {L"\\e[1~", L"ed-move-to-beg"},
      {L"\\e[4~", L"ed-move-to-end"}, {L"\\eOH", L"ed-move-to-beg"},   {L"\\eOF", L"ed-move-to-end"},
      {L"\\e[1;5D", L"ed-prev-word"}, {L"\\e[1;5C", L"em-next-word"},  {L"\\e[1;3D", L"ed-prev-word"},
      {L"\\e[1;3C", L"em-next-word"},
  };
  for (const auto& [key, does] : kKeys) ::el_wset(e, EL_BIND, key, does, nullptr);
}

LineEditor::~LineEditor() = default;

LineReader::Event LineEditor::next(const std::string& prompt, std::string& line) {
  Parts& p = *parts_;
  p.prompt = wide_of(prompt);
  p.was_interrupted = p.lost = false;
  ::el_wset(p.edit, EL_PREP_TERM,
            1);  // libedit would do it behind the prompt, when somebody may type already
  std::fputs("\033[?2004h", p.out.file);  // bracketed paste; terminals without it say nothing
  int count = 0;
  const wchar_t* const text = ::el_wgets(p.edit, &count);
  std::fputs("\033[?2004l", p.out.file);
  std::fflush(p.out.file);
  p.mode.apply();
  if (p.failure) std::rethrow_exception(std::exchange(p.failure, nullptr));
  if (p.was_interrupted) {
    p.typed.forget();
    line = p.dropped;
    return LineReader::Event::interrupted;
  }
  if (!text || count <= 0) return LineReader::Event::end;
  line = utf8_of({text, static_cast<size_t>(count)});
  if (line.ends_with('\n')) line.pop_back();
  if (p.lost) info("the paste is too long: only {} characters of it were taken", kMostPasted);
  return LineReader::Event::line;
}

void LineEditor::remember(const std::string& text) {
  HistEventW event;
  ::history_w(parts_->history, &event, H_ENTER, wide_of(text).c_str());
}

}  // namespace lmc
