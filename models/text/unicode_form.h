// The Unicode normalization forms, in time linear in the text but for sorting runs of marks.
#pragma once

#include <string>

namespace lmc::tokenizer {

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

// `text` is valid UTF-8.
std::string to_unicode_form(std::string text, UnicodeForm form);

}  // namespace lmc::tokenizer
