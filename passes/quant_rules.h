// Which format a projection's weight gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/type.h"
#include "ir/weight_sources.h"

namespace lmc {

std::string format_title(DType format);  // "Q8_0", for people

// A projection of the checkpoint, as rules see it.
struct QuantSource {
  std::string role;                 // of the linear that it is in: "ffn_gate_up"
  std::vector<WeightRows> tensors;  // of the checkpoint
  int64_t rows = 0, cols = 0;
};

struct QuantChoice {
  std::optional<DType> format;  // nullopt: as the checkpoint has it
  std::string rule;             // why: "max(768, 3072) >= 768", "ffn_*=q4_k"
  bool named = false;           // by a rule with a pattern
};

// What the checkpoint holds quantised, as far as rules with patterns say nothing of it.
struct StoredRules {
  std::string rules;  // "PATTERN=FORMAT,…", or PATTERN=FORMAT:FROM where it is the nearest to that; may fit
                      // nothing
  bool preferred = true;  // also where the format for everything reaches
};

class QuantRules {
 public:
  // "q8_0,ffn_*=q4_k,lm_head=none": a format for what reaches `min_dim` in either direction, and patterns for
  // roles and tensor names, of which the first that fits decides. Throws Error naming the part that is no
  // rule.
  QuantRules(const std::string& spec, const StoredRules& stored, int64_t min_dim);

  QuantChoice choose(const QuantSource& source);
  // Of a table that is only looked up, which has no role: by a pattern, else as it is stored, or not at all.
  // Not `unchanged`: its numbers are made of those that are stored.
  QuantChoice choose_table(const QuantSource& source, bool unchanged);
  // Those of one fused weight together: quantised if one of them is, in the most precise of their formats;
  // kept if a rule keeps one of them.
  static std::optional<DType> together(const std::vector<QuantChoice>& parts);
  // Throws Error naming a pattern that has fitted nothing.
  void check_used(const std::vector<std::string>& roles) const;

 private:
  struct Rule {
    std::string pattern;
    std::optional<DType> format;
    bool used = false;
    std::string text() const;  // as it was written
  };
  struct Stored {
    std::string pattern;
    QuantChoice choice;
  };
  void add(const std::string& part);
  void add_stored(const std::string& part);
  std::optional<QuantChoice> by_pattern(const QuantSource& source);
  const QuantChoice* stored(const QuantSource& source) const;  // null if it is not

  std::optional<DType> format_;  // where no pattern fits
  int64_t min_dim_;
  bool prefer_stored_;
  std::vector<Rule> rules_;
  std::vector<Stored> stored_;
};

}  // namespace lmc
