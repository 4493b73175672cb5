// What `lmc run` and `lmc chat` share: the flags of a generation, and text as it comes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "runtime/generate.h"
#include "tools/engine.h"

namespace lmc {

struct GenerationFlags {
  GenerateOptions generate;
  std::vector<std::string> stops, biases;
  std::string speculate = "none";
  int64_t draft = 8;
  bool ignore_eos = false;

  void add_to(CLI::App& app);
  // Checked: UsageError for flags that make no sense, before anything is loaded.
  GenerateOptions options() const;
};

// As generate(), handing out text: whole characters, up to the first stop string. Returns what it handed out.
// Without a tokenizer the text is the ids, each with a space behind it. Ids that end a text show nothing if
// `hide_stop_ids`.
struct Answer {
  Generated generated;
  std::string text;
  bool stop_string = false;
};
Answer answer(Engine& engine, std::span<const int32_t> prompt, const GenerationFlags& flags,
              bool hide_stop_ids, const std::function<void(const std::string&)>& show);

// To standard output, at once. Error if that fails.
void write_out(const std::string& text);

// "12 of 30 guessed tokens accepted (40%)", or "" where nothing was guessed.
std::string acceptance_text(const Generated& g);

}  // namespace lmc
