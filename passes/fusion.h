// Pattern passes as one expression: see passes/fuse_qkv.cpp.
#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "passes/match.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace lmc {

class FusionBuilder {
 public:
  using Here = std::source_location;  // so that a mistake in a text is reported where the text stands

  // `identifier`: fuse_qkv; the pass is called fuse-qkv.
  FusionBuilder(const std::string& identifier, const std::string& doc);

  FusionBuilder& after(const std::string& pass);
  FusionBuilder& before(const std::string& pass);
  // "fused {} QKV triples": the line for the user, with the number of applications.
  FusionBuilder& summary(const std::string& line);
  // Starts an alternative; the first that matches at a place wins.
  FusionBuilder& match(const std::string& pattern, Here at = Here::current());
  // Names the alternative, so that --set pass.NAME=skip turns it off.
  FusionBuilder& variant(const std::string& name);
  FusionBuilder& when(const std::string& reason, std::function<bool(const Match&)> guard);
  FusionBuilder& rewrite(const std::string& text, Here at = Here::current());
  // Wraps the matched ops into a group called `label`, by default like the pass.
  FusionBuilder& group(const std::string& label = "");

  struct Guard {
    std::string reason;
    std::function<bool(const Match&)> holds;
  };
  struct Alternative {
    std::string pattern_text, rewrite_text, variant, label;
    Location pattern_at, rewrite_at;
    std::vector<Guard> guards;
    bool group = false;
  };
  struct Spec {
    std::string name, doc, summary;
    std::vector<std::string> after, before;
    std::vector<Alternative> alternatives;
  };
  const Spec& spec() const { return spec_; }

 private:
  Spec spec_;
};

// The pass that a builder describes. Its texts are parsed when it runs, so that a mistake in one is an Error
// of that pass and no crash while the program starts.
std::unique_ptr<Pass> make_fusion(const FusionBuilder& builder);

// Implicit on purpose: `static RegisterFusion f = FusionBuilder(…)….group();`
struct RegisterFusion {
  RegisterFusion(const FusionBuilder& builder);  // NOLINT(google-explicit-constructor)
};

#define LMC_FUSION(identifier, doc) \
  static const ::lmc::RegisterFusion identifier##_pass = ::lmc::FusionBuilder(#identifier, doc)

}  // namespace lmc
