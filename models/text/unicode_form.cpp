// utf8proc gives the decomposition of one character and the composition of a whole text. The canonical
// ordering between is done here: utf8proc's own is an insertion sort, quadratic in a run of combining marks.
#include "models/text/unicode_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "ir/error.h"
#include "models/text/utf8.h"

namespace lmc::tokenizer {
namespace {

using CodePoint = utf8proc_int32_t;

void append_decomposed(std::vector<CodePoint>& out, char32_t code, utf8proc_option_t options) {
  CodePoint parts[32];  // the longest decomposition is 18 (U+FDFA)
  int bound_class = 0;
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<CodePoint>(code), parts, std::size(parts), options, &bound_class);
  if (count < 0 || count > static_cast<utf8proc_ssize_t>(std::size(parts))) {
    throw Error("cannot decompose U+" + std::to_string(code) + ": " + utf8proc_errmsg(count));
  }
  out.insert(out.end(), parts, parts + count);
}

void order_marks(std::vector<CodePoint>& codes) {
  const auto mark_class = [](CodePoint code) { return utf8proc_get_property(code)->combining_class; };
  const auto is_mark = [&](CodePoint code) { return mark_class(code) != 0; };
  for (auto at = codes.begin(); at != codes.end();) {
    const auto run = std::find_if(at, codes.end(), is_mark);
    at = std::find_if_not(run, codes.end(), is_mark);
    if (at - run > 1) {
      std::stable_sort(run, at, [&](CodePoint a, CodePoint b) { return mark_class(a) < mark_class(b); });
    }
  }
}

}  // namespace

std::string to_unicode_form(std::string text, UnicodeForm form) {
  const auto is_ascii = [](char c) { return static_cast<signed char>(c) >= 0; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return text;
  const bool compatible = form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd;
  const bool compose = form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                                      (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<CodePoint> codes;
  codes.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = first_char(std::string_view(text).substr(i));
    append_decomposed(codes, c.code, options);
    i += c.length;
  }
  order_marks(codes);
  if (compose) {
    const auto both = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    const auto count =
        utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), both);
    if (count < 0) throw Error(std::string("cannot compose the text: ") + utf8proc_errmsg(count));
    codes.resize(static_cast<size_t>(count));
  }
  std::string out;
  out.reserve(text.size());
  for (const CodePoint code : codes) append_utf8(out, static_cast<char32_t>(code));
  return out;
}

}  // namespace lmc::tokenizer
