// The flags of how tokens are drawn, and where they come from when they are not given: from nowhere (the
// likeliest token), or from the checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/sampler.h"
#include "tools/cli/flags.h"

namespace lmc {

// One setting by its name on the command line and in `/set`: "temperature", "top_k", …
struct SamplingSetting {
  const char* name;
  const char* doc;
  double SamplerOptions::*real = nullptr;  // one of these two
  int64_t SamplerOptions::*whole = nullptr;
};

// What a checkpoint's makers advise, by the settings' names, but for those that were given otherwise. Whether
// there was any.
bool take_advice(const std::map<std::string, double>& advice,
                 const std::function<bool(const std::string& setting)>& given, SamplerOptions& options);

class SamplingFlags {
 public:
  // "greedy" or "checkpoint": what holds where no flag says otherwise.
  std::string source = "greedy";

  void add_to(Flags& flags);
  // As the flags say. UsageError for values that make no sense, before anything is loaded. What settle() adds
  // is in it once that was called.
  SamplerOptions options() const;
  // With a model loaded: its makers' advice where it is wanted, and a seed where one is needed and none was
  // given. Says on stderr what was not said on the command line.
  void settle(const std::map<std::string, double>& advice);
  // "temperature 0.7" of `/set`. UsageError for an unknown name, or a value that makes no sense: then nothing
  // has changed.
  void set(const std::string& name, const std::string& value);
  // "--temperature 0.6 --top-k 20", what differs from greedy; the seed where it matters.
  std::string text() const;
  static std::string setting_names();
  std::optional<uint64_t> drawn_from() const;  // the seed, where it matters

  // The draws of the next answer go on from other numbers than those of the last.
  void next_answer() { ++answers_; }

 private:
  void choose_seed();

  SamplerOptions options_;
  std::vector<std::string> biases_;
  std::optional<uint64_t> seed_;  // nullopt: one is made up where it is needed
  std::map<std::string, Flag> flags_;
  uint64_t answers_ = 0;
};

}  // namespace lmc
