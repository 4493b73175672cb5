// The flags of speculative decoding, the same wherever texts are made.
#pragma once

#include <cstdint>
#include <string>

#include "tools/cli/flags.h"
#include "tools/generate/engine.h"

namespace lmc {

struct SpeculationFlags {
  std::string speculate = "none";
  int64_t draft = 16, least_draft = 0;

  void add_to(Flags& flags);
  // UsageError for flags that make no sense, before anything is loaded.
  void check() const;
  // UsageError for what works for one text at a time only, where `what` makes several.
  void check_several(const std::string& what) const;
  // Who guesses; null: nobody.
  Drafter* drafter(Engine& engine) const;

 private:
  bool by_model() const { return speculate == "self"; }
};

// "12 of 30 guessed tokens accepted (40%)", or "" where nothing was guessed.
std::string acceptance_text(int64_t drafted, int64_t accepted);

}  // namespace lmc
