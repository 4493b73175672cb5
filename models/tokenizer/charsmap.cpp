// A unit of the double array: bits 0-7 the byte that leads to it, 8 whether a key ends there, 9-30 where its
// children are; the unit of a value has bit 31 set.
#include "models/tokenizer/charsmap.h"

#include <cstring>

#include "ir/error.h"
#include "models/text/utf8.h"

namespace lmc::tokenizer {
namespace {

constexpr uint32_t kValueUnit = 1u << 31;

bool ends_key(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t label(uint32_t unit) { return unit & (kValueUnit | 0xFF); }
uint32_t children(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

bool starts_char(std::string_view text, size_t at) { return (static_cast<uint8_t>(text[at]) & 0xC0) != 0x80; }

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  uint32_t array_bytes = 0;
  if (blob.size() < sizeof array_bytes) throw Error("the charsmap is too short");
  std::memcpy(&array_bytes, blob.data(), sizeof array_bytes);
  blob.remove_prefix(sizeof array_bytes);
  if (array_bytes == 0 || array_bytes % sizeof(uint32_t) != 0 || array_bytes >= blob.size()) {
    throw Error("the charsmap's trie has a bad size of " + std::to_string(array_bytes) + " bytes");
  }
  units_.resize(array_bytes / sizeof(uint32_t));
  std::memcpy(units_.data(), blob.data(), array_bytes);
  texts_ = blob.substr(array_bytes);
  if (texts_.back() != '\0' || !is_valid_utf8(texts_)) {
    throw Error("the charsmap's texts are not UTF-8 that ends in NUL");
  }
  for (const uint32_t unit : units_) {
    const size_t at = unit & ~kValueUnit;
    if ((unit & kValueUnit) && (at >= texts_.size() || !starts_char(texts_, at))) {
      throw Error("a rule of the charsmap points outside of its texts");
    }
  }
}

template <typename Sink>
void Charsmap::for_each_rule(std::string_view text, const Sink& sink) const {
  uint32_t at = children(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    at ^= static_cast<uint8_t>(text[i]);
    if (at >= units_.size() || label(units_[at]) != static_cast<uint8_t>(text[i])) return;
    const uint32_t unit = units_[at];
    at ^= children(unit);
    if (!ends_key(unit) || at >= units_.size() || !(units_[at] & kValueUnit)) continue;
    if (!sink(Rule{i + 1, texts_.c_str() + (units_[at] & ~kValueUnit)})) return;
  }
}

std::optional<Charsmap::Rule> Charsmap::longest(std::string_view text) const {
  std::optional<Rule> found;
  for_each_rule(text, [&](const Rule& rule) {
    // A rule of a damaged map may end within a character.
    if (rule.length == text.size() || starts_char(text, rule.length)) found = rule;
    return true;
  });
  return found;
}

std::optional<std::string_view> Charsmap::shortest(std::string_view text) const {
  std::optional<std::string_view> found;
  for_each_rule(text, [&](const Rule& rule) {
    found = rule.content;
    return false;
  });
  return found;
}

std::string Charsmap::rewrite_clusters(std::string_view text) const {
  constexpr size_t kWholeBelow = 6;  // bytes
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::string_view cluster = text.substr(0, cluster_length(text));
    text.remove_prefix(cluster.size());
    if (const auto whole = cluster.size() < kWholeBelow ? shortest(cluster) : std::nullopt) {
      out += *whole;
      continue;
    }
    while (!cluster.empty()) {
      const std::string_view c = cluster.substr(0, first_char(cluster).length);
      out += shortest(c).value_or(c);
      cluster.remove_prefix(c.size());
    }
  }
  return out;
}

}  // namespace lmc::tokenizer
