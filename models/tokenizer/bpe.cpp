// A word may be the whole text (Gemma does not split), so merging uses a queue and a linked list of symbols.
#include "models/tokenizer/bpe.h"

#include <algorithm>
#include <functional>

#include "models/tokenizer/utf8.h"

namespace lmc::tokenizer {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;

// Options that would change the ids and are not done here must be off.
void refuse_unsupported(const Fields& spec) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!spec.text_or(key, "").empty()) spec.fail(std::string("a '") + key + "' is not supported");
  }
  if (spec.has("dropout") && spec.value().at("dropout") != 0) spec.fail("'dropout' is not supported");
}

}  // namespace

Bpe::Bpe(const Image& image, const Fields& spec) : image_(&image) {
  refuse_unsupported(spec);
  fuse_unknown_ = spec.flag_or("fuse_unk", false);
  byte_fallback_ = spec.flag_or("byte_fallback", false);
  ignore_merges_ = spec.flag_or("ignore_merges", false);
  if (const std::string unknown = spec.text_or("unk_token", ""); spec.has("unk_token")) {
    const auto id = image.find(unknown);
    if (!id) spec.fail("unk_token '" + unknown + "' is not in the vocabulary");
    unknown_ = *id;
  }
  std::string text;
  for (size_t code = 0; code < kDirectChars; ++code) {
    text.clear();
    append_utf8(text, static_cast<char32_t>(code));
    direct_.push_back(model_id(text));
  }
  constexpr const char* kHex = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = model_id(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">");
  }
}

void Bpe::encode(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const {
  if (ignore_merges_) {
    if (const int32_t whole = model_id(word); whole != kNone) return ids.push_back(whole);
  }
  scratch.symbols.clear();
  append_symbols(word, scratch);
  merge_all(scratch);
  for (const auto& symbol : scratch.symbols) {
    if (!symbol.joined) ids.push_back(symbol.id);
  }
}

int32_t Bpe::model_id(std::string_view text) const {
  const auto id = image_->find(text);
  return id && (image_->flags(*id) & kInModel) ? *id : kNone;
}

int32_t Bpe::id_of_char(std::string_view text, char32_t code) const {
  return code < kDirectChars ? direct_[code] : model_id(text);
}

bool Bpe::append_bytes(std::string_view text, Scratch& scratch) const {
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
  if (std::any_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) == kNone; })) return false;
  for (const char byte : text) scratch.symbols.push_back({id_of(byte), 0, 0, nullptr});
  return true;
}

// As Hugging Face does it, an unknown is held back until a known character comes; bytes overtake it.
void Bpe::append_symbols(std::string_view word, Scratch& scratch) const {
  size_t pending_unknowns = 0;
  const auto flush_unknowns = [&] {
    for (; pending_unknowns > 0; --pending_unknowns) scratch.symbols.push_back({unknown_, 0, 0, nullptr});
  };
  for (size_t i = 0; i < word.size();) {
    const Utf8Char c = first_char(word.substr(i));
    const std::string_view text = word.substr(i, c.length);
    i += c.length;
    if (const int32_t id = id_of_char(text, c.code); id != kNone) {
      flush_unknowns();
      scratch.symbols.push_back({id, 0, 0, nullptr});
    } else if (byte_fallback_ && append_bytes(text, scratch)) {
      continue;
    } else if (unknown_ != kNone) {
      if (!fuse_unknown_) flush_unknowns();
      pending_unknowns = 1;
    }
  }
  flush_unknowns();
}

void Bpe::find_merge(Scratch& scratch, uint32_t at) const {
  auto& symbol = scratch.symbols[at];
  symbol.merge =
      symbol.next == kEnd ? nullptr : image_->find_merge(symbol.id, scratch.symbols[symbol.next].id);
}

void Bpe::merge_all(Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& queue = scratch.queue;
  const auto key = [&](uint32_t at) { return static_cast<uint64_t>(symbols[at].merge->rank) << 32 | at; };
  const auto count = static_cast<uint32_t>(symbols.size());
  queue.clear();
  for (uint32_t at = 0; at < count; ++at) {
    symbols[at].previous = at == 0 ? kEnd : at - 1;
    symbols[at].next = at + 1 == count ? kEnd : at + 1;
    find_merge(scratch, at);
    if (symbols[at].merge != nullptr) queue.push_back(key(at));
  }
  std::make_heap(queue.begin(), queue.end(), std::greater<>());
  const auto update = [&](uint32_t at) {
    find_merge(scratch, at);
    if (symbols[at].merge == nullptr) return;
    queue.push_back(key(at));
    std::push_heap(queue.begin(), queue.end(), std::greater<>());
  };
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    const uint64_t top = queue.back();
    queue.pop_back();
    const auto at = static_cast<uint32_t>(top);
    auto& symbol = symbols[at];
    // An entry outlives its pair when either half was joined to another symbol.
    if (symbol.joined || symbol.merge == nullptr || key(at) != top) continue;
    auto& right = symbols[symbol.next];
    symbol.id = static_cast<int32_t>(symbol.merge->id);
    right.joined = true;
    symbol.next = right.next;
    if (symbol.next != kEnd) symbols[symbol.next].previous = at;
    if (symbol.previous != kEnd) update(symbol.previous);
    update(at);
  }
}

}  // namespace lmc::tokenizer
