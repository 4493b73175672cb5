// Character by character.
#include "models/tokenizer/text_cleaning.h"

#include "models/text/unicode_form.h"
#include "models/text/utf8.h"

namespace lmc::tokenizer {
namespace {

// `change(code, text, out)` appends what a character becomes.
template <typename Change>
std::string each_char(std::string_view text, const Change& change) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = first_char(text.substr(i));
    change(c.code, text.substr(i, c.length), out);
    i += c.length;
  }
  return out;
}

bool is_ideograph(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
         (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

}  // namespace

std::string strip_accents(std::string_view text) {
  return each_char(text, [](char32_t code, std::string_view c, std::string& out) {
    if (!is_mark(code)) out += c;
  });
}

std::string clean_nmt(std::string_view text) {
  return each_char(text, [](char32_t code, std::string_view c, std::string& out) {
    const bool dropped = (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
                         code == 0x7F || code == 0x8F || code == 0x9F;
    const bool space = code == 9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
                       (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
                       code == 0x2581 || code == 0xFEFF || code == 0xFFFD;
    if (!dropped) out += space ? " " : c;
  });
}

std::string clean_bert(std::string text, const BertCleaning& options) {
  if (options.clean_text) {
    text = each_char(text, [](char32_t code, std::string_view c, std::string& out) {
      const bool line = code == '\t' || code == '\n' || code == '\r';
      if (!line && (code == 0 || code == 0xFFFD || is_other(code))) return;
      out += line || is_space(code) ? " " : c;
    });
  }
  if (options.space_out_ideographs) {
    text = each_char(text, [](char32_t code, std::string_view c, std::string& out) {
      if (!is_ideograph(code)) {
        out += c;
      } else {
        out.append(" ").append(c).append(" ");
      }
    });
  }
  if (options.strip_accents) {
    text = each_char(to_unicode_form(std::move(text), UnicodeForm::kNfd),
                     [](char32_t code, std::string_view c, std::string& out) {
                       if (!is_nonspacing_mark(code)) out += c;
                     });
  }
  return options.lowercase ? lower_case(text) : text;
}

}  // namespace lmc::tokenizer
