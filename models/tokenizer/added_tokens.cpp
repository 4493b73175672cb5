// A search from every place whose byte begins one of the tokens.
#include "models/tokenizer/added_tokens.h"

#include <algorithm>

#include "models/text/utf8.h"
#include "models/tokenizer/prefix_search.h"

namespace lmc::tokenizer {

AddedTokenFinder::AddedTokenFinder(const Image& image, std::span<const AddedToken> tokens)
    : image_(&image), tokens_(tokens) {
  for (const AddedToken& token : tokens)
    first_bytes_[static_cast<uint8_t>(image.added_text(token)[0])] = true;
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text) const {
  const auto found = longest_prefix(
      tokens_.begin(), tokens_.end(), tokens_.end(),
      [&](const AddedToken& token) { return image_->added_text(token); }, text);
  return found == tokens_.end() ? nullptr : &*found;
}

namespace {

bool is_single_word(std::string_view text, size_t begin, size_t end) {
  return (begin == 0 || !is_word(last_char(text.substr(0, begin)).code)) &&
         (end == text.size() || !is_word(first_char(text.substr(end)).code));
}

size_t skip_spaces_left(std::string_view text, size_t begin, size_t floor) {
  while (begin > floor && is_space(last_char(text.substr(0, begin)).code)) {
    begin -= last_char(text.substr(0, begin)).length;
  }
  return begin;
}

size_t skip_spaces_right(std::string_view text, size_t end) {
  while (end < text.size() && is_space(first_char(text.substr(end)).code)) {
    end += first_char(text.substr(end)).length;
  }
  return end;
}

}  // namespace

void AddedTokenFinder::carve(std::string_view text, const Sink& sink) const {
  size_t done = 0;  // behind the last token and the spaces it took
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token =
        first_bytes_[static_cast<uint8_t>(text[at])] ? longest_at(text.substr(at)) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + token->length;
    at = end;  // the spaces an rstrip takes may still be tokens themselves, as in Hugging Face
    if ((token->flags & kSingleWord) && !is_single_word(text, begin, end)) continue;
    if (token->flags & kLstrip) begin = std::max(skip_spaces_left(text, begin, done), done);
    if (token->flags & kRstrip) end = skip_spaces_right(text, std::max(end, done));
    if (begin > done) sink(text.substr(done, begin - done), std::nullopt);
    sink({}, static_cast<int32_t>(token->id));
    done = end;
  }
  if (done < text.size()) sink(text.substr(done), std::nullopt);
}

}  // namespace lmc::tokenizer
