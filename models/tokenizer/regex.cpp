// PCRE2 behind Regex: translation of what Oniguruma means differently, bounded matching.
#include "models/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ir/error.h"
#include "models/text/utf8.h"
#include "models/tokenizer/cpu_limit.h"

namespace lmc::tokenizer {
namespace {

constexpr uint32_t kMatchLimit = 10'000'000;    // steps of one match; real patterns need a few per character
constexpr uint32_t kHeapLimitKib = 256 * 1024;  // of the interpreter, used when the JIT's stack is too small
constexpr size_t kJitStackMin = 32 * 1024;
constexpr size_t kJitStackMax = 64 * 1024 * 1024;
constexpr size_t kStarts =
    256;  // where a match may begin, in one call: between two calls the time is looked at

// The same sets is_space and is_word have; PCRE2's own \s adds U+180E and its \w lacks marks.
constexpr const char* kSpaceSet =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kWordSet = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr const char* kHexSet = "0-9A-Fa-f";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A set as it stands inside or outside of [...].
std::string as_set(const char* set, bool in_class) { return in_class ? set : std::string("[") + set + "]"; }

// The escape at `i` (its backslash) in PCRE2's terms; moves `i` behind it.
std::string translate_escape(const std::string& pattern, size_t& i, bool in_class) {
  const char c = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
  i += 2;
  if (c == 's') return as_set(kSpaceSet, in_class);
  if (c == 'w') return as_set(kWordSet, in_class);
  if (c == 'h') return as_set(kHexSet, in_class);
  if (!in_class && c == 'S') return std::string("[^") + kSpaceSet + "]";
  if (!in_class && c == 'W') return std::string("[^") + kWordSet + "]";
  if (!in_class && c == 'H') return std::string("[^") + kHexSet + "]";
  if (c == 'u' && i + 4 <= pattern.size()) {
    const std::string digits = pattern.substr(i, 4);
    if (is_hex(digits[0]) && is_hex(digits[1]) && is_hex(digits[2]) && is_hex(digits[3])) {
      i += 4;
      return "\\x{" + digits + "}";
    }
  }
  return c == '\0' ? "\\" : std::string("\\") + c;
}

std::string to_pcre2(const std::string& pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\\') {
      out += translate_escape(pattern, i, in_class);
      continue;
    }
    const std::string_view rest = std::string_view(pattern).substr(i);
    if (in_class && (rest.starts_with("&&") || (c == '[' && !rest.starts_with("[:")))) {
      throw Error("regex '" + pattern + "': sets within [...] (nested, or &&) are not supported");
    }
    if (in_class && rest.starts_with("[:")) {
      const size_t end = pattern.find(":]", i);
      const size_t stop = end == std::string::npos ? i + 2 : end + 2;
      out += pattern.substr(i, stop - i);
      i = stop;
      continue;
    }
    if (!in_class && c == '[') {
      in_class = true;
      out += c;
      if (++i < pattern.size() && pattern[i] == '^') out += pattern[i++];
      if (i < pattern.size() && pattern[i] == ']') out += "\\]", ++i;  // a leading ] is a plain character
      continue;
    }
    if (in_class && c == ']') in_class = false;
    out += c;
    ++i;
  }
  return out;
}

std::string pcre2_message(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

// What one thread needs while it matches; freed together.
class MatchState {
 public:
  explicit MatchState(const pcre2_code* code)
      : code_(code),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (data_ == nullptr || context_ == nullptr) throw Error("out of memory while matching a regex");
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_heap_limit(context_, kHeapLimitKib);
  }
  MatchState(const MatchState&) = delete;
  MatchState& operator=(const MatchState&) = delete;
  ~MatchState() {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
    if (stack_ != nullptr) pcre2_jit_stack_free(stack_);
  }

  // Finds one that begins at `offset` or less than kStarts bytes behind it.
  int match(std::string_view text, size_t offset) {
    pcre2_set_offset_limit(context_, offset + kStarts - 1);
    int found = run(text, offset, PCRE2_NO_UTF_CHECK);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT && stack_ == nullptr) {
      stack_ = pcre2_jit_stack_create(kJitStackMin, kJitStackMax, nullptr);
      if (stack_ != nullptr) pcre2_jit_stack_assign(context_, nullptr, stack_);
      found = run(text, offset, PCRE2_NO_UTF_CHECK);
    }
    return found == PCRE2_ERROR_JIT_STACKLIMIT ? run(text, offset, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT) : found;
  }
  size_t begin() const { return pcre2_get_ovector_pointer(data_)[0]; }
  size_t end() const { return pcre2_get_ovector_pointer(data_)[1]; }

 private:
  int run(std::string_view text, size_t offset, uint32_t options) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    return pcre2_match(code_, subject, text.size(), offset, options, data_, context_);
  }

  const pcre2_code* code_;
  pcre2_match_data* data_;
  pcre2_match_context* context_;
  pcre2_jit_stack* stack_ = nullptr;  // made when the JIT's own 32 KiB do not suffice, which is rare
};

}  // namespace

Regex::Regex(const std::string& pattern) : pattern_(pattern) {
  const std::string translated = to_pcre2(pattern);
  int error = 0;
  size_t offset = 0;
  constexpr uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                   kOptions, &error, &offset, nullptr);
  if (code == nullptr) {
    throw Error("regex '" + pattern + "': " + pcre2_message(error) + " (at offset " + std::to_string(offset) +
                " of '" + translated + "')");
  }
  code_ = std::shared_ptr<const void>(code, [code](const void*) { pcre2_code_free(code); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, the interpreter does it
}

void Regex::for_each_match(std::string_view text, const MatchSink& sink) const {
  if (text.empty()) return;  // also keeps a null data() away from PCRE2
  MatchState state(static_cast<const pcre2_code*>(code_.get()));
  size_t offset = 0;
  size_t last_end = std::string::npos;
  uint64_t matches = 0;
  CpuLimit time(0.5 + 2e-6 * static_cast<double>(text.size()));
  while (offset <= text.size()) {
    const int found = state.match(text, offset);
    const bool look = found == PCRE2_ERROR_NOMATCH || ++matches % 16 == 0;
    if (look && !time.lasts()) throw Error("regex '" + pattern_ + "' takes too long on the text");
    if (found == PCRE2_ERROR_NOMATCH) {
      offset += kStarts;
      while (offset < text.size() && (text[offset] & 0xC0) == 0x80) ++offset;
      continue;
    }
    if (found < 0) throw Error("regex '" + pattern_ + "' gave up on the text: " + pcre2_message(found));
    const size_t begin = state.begin();
    const size_t end = state.end();
    if (begin < offset || end < begin) throw Error("regex '" + pattern_ + "' moves backwards (\\K)");
    if (begin == end && end == last_end) {  // an empty match right behind the last one is none
      if (end == text.size()) return;
      offset = end + first_char(text.substr(end)).length;
      continue;
    }
    sink(begin, end);
    offset = last_end = end;
  }
}

Pattern Pattern::literal(std::string text) {
  Pattern out;
  out.literal_ = std::move(text);
  return out;
}

Pattern Pattern::regex(const std::string& pattern) {
  Pattern out;
  out.regex_.emplace(pattern);
  return out;
}

void Pattern::for_each_match(std::string_view text, const MatchSink& sink) const {
  if (regex_) return regex_->for_each_match(text, sink);
  if (literal_.empty()) return;
  for (size_t at = text.find(literal_); at != std::string::npos;
       at = text.find(literal_, at + literal_.size())) {
    sink(at, at + literal_.size());
  }
}

std::string Pattern::replace_all(std::string_view text, std::string_view content, size_t most) const {
  std::string out;
  const auto check = [&](size_t more) {
    if (more > most || out.size() > most - more)
      throw Error("a replacement makes more than " + std::to_string(most) + " bytes of " +
                  std::to_string(text.size()));
  };
  out.reserve(text.size() + text.size() / 4);
  size_t done = 0;
  for_each_match(text, [&](size_t begin, size_t end) {
    check(begin - done + content.size());
    out.append(text.substr(done, begin - done)).append(content);
    done = end;
  });
  check(text.size() - done);
  return out.append(text.substr(done));
}

}  // namespace lmc::tokenizer
