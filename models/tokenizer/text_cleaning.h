// Normalizers that filter or map single characters, as Hugging Face's types of the same names do.
#pragma once

#include <string>
#include <string_view>

namespace lmc::tokenizer {

std::string strip_accents(std::string_view text);  // StripAccents: drops combining marks
std::string clean_nmt(std::string_view text);      // Nmt: drops control characters, maps spaces to ' '

struct BertCleaning {
  bool clean_text;            // drops control characters, maps spaces to ' '
  bool space_out_ideographs;  // "handle_chinese_chars"
  bool strip_accents;
  bool lowercase;
};
std::string clean_bert(std::string text, const BertCleaning& options);

}  // namespace lmc::tokenizer
