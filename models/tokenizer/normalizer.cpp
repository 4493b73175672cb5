// Each normalizer type is one small function.
#include "models/tokenizer/normalizer.h"

#include "ir/error.h"
#include "models/text/base64.h"
#include "models/text/unicode_form.h"
#include "models/text/utf8.h"
#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/sentencepiece_normalizer.h"
#include "models/tokenizer/text_cleaning.h"

namespace lmc::tokenizer {
namespace {

Normalizer make_sequence(const Fields& spec) {
  std::vector<Normalizer> steps;
  for (const Fields& step : spec.objects("normalizers")) steps.push_back(make_normalizer(step));
  return [steps](std::string text) {
    const size_t bytes = text.size();
    for (const Normalizer& step : steps) {
      text = step(std::move(text));
      if (text.size() > most_normalized(bytes))
        throw Error("the normalizer makes " + std::to_string(text.size()) + " bytes of " +
                    std::to_string(bytes));
    }
    return text;
  };
}

Normalizer make_replace(const Fields& spec) {
  return [pattern = make_pattern(spec), content = spec.text("content")](std::string text) {
    return pattern.replace_all(text, content, most_normalized(text.size()));
  };
}

Normalizer make_prepend(const Fields& spec) {
  const std::string prefix = spec.text("prepend");
  if (prefix.size() > most_normalized(0)) spec.fail("'prepend' has more than 1024 bytes");
  return [prefix](std::string text) { return text.empty() ? text : prefix + text; };
}

Normalizer make_strip(const Fields& spec) {
  return
      [left = spec.flag_or("strip_left", true), right = spec.flag_or("strip_right", true)](std::string text) {
        std::string_view rest = text;
        while (left && !rest.empty() && is_space(first_char(rest).code))
          rest.remove_prefix(first_char(rest).length);
        while (right && !rest.empty() && is_space(last_char(rest).code))
          rest.remove_suffix(last_char(rest).length);
        return std::string(rest);
      };
}

Normalizer make_precompiled(const Fields& spec) {
  const auto rules = std::make_shared<const Charsmap>(make_charsmap(spec));
  return [rules](const std::string& text) { return rules->rewrite_clusters(text); };
}

Normalizer make_bert(const Fields& spec) {
  BertCleaning options = {};
  options.clean_text = spec.flag_or("clean_text", true);
  options.space_out_ideographs = spec.flag_or("handle_chinese_chars", true);
  options.lowercase = spec.flag_or("lowercase", true);
  options.strip_accents = spec.flag_or("strip_accents", options.lowercase);
  return [options](std::string text) { return clean_bert(std::move(text), options); };
}

}  // namespace

Normalizer make_normalizer(const Fields& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") return make_sequence(spec);
  if (type == "Replace") return make_replace(spec);
  if (type == "Prepend") return make_prepend(spec);
  if (type == "Strip") return make_strip(spec);
  if (type == "Lowercase") return [](std::string text) { return lower_case(text); };
  if (type == "StripAccents") return strip_accents;
  if (type == "Nmt") return clean_nmt;
  if (type == "BertNormalizer") return make_bert(spec);
  if (type == "Precompiled") return make_precompiled(spec);
  if (type == "SentencePiece") return make_sentencepiece_normalizer(spec);
  if (type == "ByteLevel") return to_byte_alphabet;
  if (type == "NFC")
    return [](std::string text) { return to_unicode_form(std::move(text), UnicodeForm::kNfc); };
  if (type == "NFD")
    return [](std::string text) { return to_unicode_form(std::move(text), UnicodeForm::kNfd); };
  if (type == "NFKC")
    return [](std::string text) { return to_unicode_form(std::move(text), UnicodeForm::kNfkc); };
  if (type == "NFKD")
    return [](std::string text) { return to_unicode_form(std::move(text), UnicodeForm::kNfkd); };
  spec.fail_unknown("normalizer", type);
}

Charsmap make_charsmap(const Fields& spec) {
  const std::string base64 = spec.text("precompiled_charsmap");
  try {
    return Charsmap(decode_base64(base64));
  } catch (const Error& error) {
    spec.fail(std::string("precompiled_charsmap: ") + error.what());
  }
}

Pattern make_pattern(const Fields& spec) {
  const Fields pattern = spec.object("pattern");
  if (pattern.has("String")) return Pattern::literal(pattern.text("String"));
  if (!pattern.has("Regex")) pattern.fail("expected {\"String\": ...} or {\"Regex\": ...}");
  const std::string regex = pattern.text("Regex");
  try {
    return Pattern::regex(regex);
  } catch (const Error& error) {
    pattern.fail(error.what());
  }
}

}  // namespace lmc::tokenizer
