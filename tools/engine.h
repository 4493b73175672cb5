// A bundle loaded and ready to run: kernels linked, session built, tokenizer opened.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "models/tokenizer/tokenizer.h"
#include "runtime/session.h"
#include "tools/bundle.h"

namespace lmc {

class Engine {
 public:
  // `threads` 0 = physical cores; `block` as in SessionOptions.
  Engine(const std::string& bundle_path, int threads, int64_t block, bool profile = false);

  const Bundle& bundle() const { return bundle_; }
  Session& session() { return *session_; }
  const Tokenizer& tokenizer() const;  // Error if the bundle has none: only --ids work then
  const Tokenizer* tokenizer_or_null() const { return tokenizer_ ? &*tokenizer_ : nullptr; }

 private:
  Bundle bundle_;
  LoadedKernels kernels_;
  std::optional<Tokenizer> tokenizer_;
  std::unique_ptr<Session> session_;
};

// "2,119,166" → ids. UsageError for anything else.
std::vector<int32_t> parse_ids(const std::string& text);

// Numbers as programs get them: 9 significant digits.
std::string number_list(std::span<const float> numbers);
std::string id_list(std::span<const int32_t> ids);

}  // namespace lmc
