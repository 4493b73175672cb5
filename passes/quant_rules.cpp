#include "passes/quant_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <sstream>

#include "ir/block_format.h"
#include "ir/pass.h"

namespace lmc {
namespace {

std::optional<DType> format_named(const std::string& name) {
  if (name == "none") return std::nullopt;
  const auto format = dtype_from_name(name);
  if (format && is_weight_format(*format)) return format;
  throw SettingError("quantize.format: unknown format '" + name + "'; there is none, " +
                     weight_format_names());
}

std::string name_of(const std::optional<DType>& format) { return format ? dtype_name(*format) : "none"; }

bool fits(const std::string& pattern, const QuantSource& source) {
  const auto matches = [&](const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
  };
  return matches(source.role) || std::any_of(source.tensors.begin(), source.tensors.end(),
                                             [&](const WeightRows& t) { return matches(t.tensor); });
}

std::string compared(const QuantSource& s, int64_t min_dim) {
  return "max(" + std::to_string(s.cols) + ", " + std::to_string(s.rows) + ")" +
         (std::max(s.rows, s.cols) >= min_dim ? " >= " : " < ") + std::to_string(min_dim);
}

}  // namespace

std::string format_title(DType format) {
  std::string name = dtype_name(format);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

std::string QuantRules::Rule::text() const { return pattern + "=" + name_of(format); }

QuantRules::QuantRules(const std::string& spec, const StoredRules& stored, int64_t min_dim)
    : format_(DType::q8_0), min_dim_(min_dim), prefer_stored_(stored.preferred) {
  std::istringstream parts(spec);
  bool has_format = false;
  for (std::string part; std::getline(parts, part, ',');) {
    if (part.find('=') != std::string::npos) {
      add(part);
    } else if (has_format) {
      throw SettingError("quantize.format: '" + part +
                         "' is a second format for everything; patterns are written " + "PATTERN=FORMAT");
    } else {
      format_ = format_named(part);
      has_format = true;
    }
  }
  std::istringstream more(stored.rules);
  for (std::string part; std::getline(more, part, ',');) add_stored(part);
}

void QuantRules::add(const std::string& part) {
  const size_t equals = part.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw SettingError("quantize.format: '" + part + "' is no rule: PATTERN=FORMAT");
  rules_.push_back({part.substr(0, equals), format_named(part.substr(equals + 1))});
}

void QuantRules::add_stored(const std::string& part) {
  const size_t equals = part.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw SettingError("quantize.stored: '" + part + "' is no rule: PATTERN=FORMAT");
  const std::string format = part.substr(equals + 1);
  const size_t colon = format.find(':');
  const std::string why = colon == std::string::npos
                              ? "as stored"
                              : "stored as " + format.substr(colon + 1) + ", of which this is the nearest";
  stored_.push_back({part.substr(0, equals), {format_named(format.substr(0, colon)), why, true}});
}

const QuantChoice* QuantRules::stored(const QuantSource& source) const {
  const auto it =
      std::find_if(stored_.begin(), stored_.end(), [&](const Stored& s) { return fits(s.pattern, source); });
  return it == stored_.end() ? nullptr : &it->choice;
}

std::optional<QuantChoice> QuantRules::by_pattern(const QuantSource& source) {
  const auto it =
      std::find_if(rules_.begin(), rules_.end(), [&](const Rule& r) { return fits(r.pattern, source); });
  if (it == rules_.end()) return std::nullopt;
  it->used = true;
  return QuantChoice{it->format, it->text(), true};
}

QuantChoice QuantRules::choose_table(const QuantSource& source, bool unchanged) {
  if (const auto named = by_pattern(source)) return *named;
  const QuantChoice* as_stored = unchanged && (format_ || prefer_stored_) ? stored(source) : nullptr;
  return as_stored ? *as_stored : QuantChoice{std::nullopt, "only looked up"};
}

QuantChoice QuantRules::choose(const QuantSource& source) {
  if (const auto named = by_pattern(source)) return *named;
  const bool reaches = std::max(source.rows, source.cols) >= min_dim_;
  if (prefer_stored_ || (format_ && !reaches)) {
    if (const QuantChoice* as_stored = stored(source)) return *as_stored;
  }
  if (!format_) return {std::nullopt, "--quant=none"};
  return {reaches ? format_ : std::nullopt, compared(source, min_dim_)};
}

std::optional<DType> QuantRules::together(const std::vector<QuantChoice>& parts) {
  std::optional<DType> best;
  for (const QuantChoice& c : parts) {
    if (c.named && !c.format) return std::nullopt;
    if (c.format && (!best || block_format(*c.format).decibels > block_format(*best).decibels))
      best = c.format;
  }
  return best;
}

void QuantRules::check_used(const std::vector<std::string>& roles) const {
  for (const Rule& r : rules_) {
    if (r.used) continue;
    std::string all;
    for (const std::string& role : roles) all += (all.empty() ? "" : ", ") + role;
    throw SettingError("quantize.format: '" + r.text() + "' fits no projection or table; roles here: " + all);
  }
}

}  // namespace lmc
