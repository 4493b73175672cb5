// UTF-8 and the character classes the tokenizer's rules speak of. Knows nothing of tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lmc::tokenizer {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

enum class Utf8State { kValid, kInvalid, kTruncated };

struct Utf8Char {
  char32_t code = 0xFFFD;
  uint32_t length =
      1;  // bytes to step over; for an invalid one, its maximal subpart (Unicode 3.9, table 3-8)
  Utf8State state = Utf8State::kInvalid;  // kTruncated: valid so far, but the text ends within it
};

// The character at the start of `text`, which must not be empty.
Utf8Char first_char(std::string_view text);
// The character at the end of a valid, non-empty `text`.
Utf8Char last_char(std::string_view text);

// Bytes of the first grapheme cluster (UAX 29, extended) of a valid, non-empty `text`.
size_t cluster_length(std::string_view text);

bool is_valid_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t code);

// Appends `bytes` with U+FFFD for each invalid part, as Rust's from_utf8_lossy does. Unless `final`, a
// truncated last character is left for later. Returns how many bytes were used.
size_t append_lossy(std::string& out, std::string_view bytes, bool final);

bool is_space(char32_t code);            // White_Space
bool is_word(char32_t code);             // \w of Rust's regex: Alphabetic, M, Nd, Pc, Join_Control
bool is_numeric(char32_t code);          // N
bool is_mark(char32_t code);             // M
bool is_nonspacing_mark(char32_t code);  // Mn
bool is_other(char32_t code);            // C: control, format, private use, unassigned
bool is_punctuation(char32_t code);      // P, or ASCII punctuation such as $ and +

// Lower case as Rust's char::to_lowercase, which knows no final sigma.
std::string lower_case(std::string_view text);

}  // namespace lmc::tokenizer
