// Pattern passes as one expression: see passes/fuse_qkv.cpp. The same as a file of text:
// passes/pattern/lmpass.h.
#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "ir/pass.h"
#include "passes/pattern/match.h"
#include "passes/pattern/rewrite.h"

namespace lmc {

// A pattern pass as it was written; nothing of it is read before it runs or is checked.
struct FusionSpec {
  struct Text {
    std::string text;
    Location at;  // of its first character, or just of its line
  };
  struct Guard {
    std::string reason;
    Text condition;                           // empty if it is
    std::function<bool(const Match&)> holds;  // C++
  };
  struct Setting {
    std::string key;
    std::vector<std::string> choices;  // the first is the default
    std::string doc;
  };
  struct Alternative {
    Text pattern, replacement;
    std::string variant, label;
    std::vector<Guard> guards;
    bool group = false;
  };
  std::string name, doc, summary, example;
  bool exact = true, standard = true, tell_none = true;
  bool caches = true;  // do they count when results are compared? only if not exact
  std::vector<Text> after, before, rivals;
  std::vector<Setting> settings;
  std::vector<Alternative> alternatives;
};

class FusionBuilder {
 public:
  using Here = std::source_location;  // so that a mistake in a text is reported where the text stands

  // `identifier`: fuse_qkv; the pass is called fuse-qkv.
  FusionBuilder(const std::string& identifier, const std::string& doc);

  FusionBuilder& after(const std::string& pass);
  FusionBuilder& before(const std::string& pass);
  // "fused {} QKV triples": the line for the user, with the number of applications.
  FusionBuilder& summary(const std::string& line);
  // The same, and no line where it is 0.
  FusionBuilder& summary_if_any(const std::string& line);
  // --set pass.KEY=CHOICE, for conditions to ask: setting(key) == choice. The first choice is the default.
  FusionBuilder& setting(const std::string& key, std::vector<std::string> choices, const std::string& doc);
  // Results may change by more than rounding: the numeric gate then judges by a budget; or only what the
  // logits say, if the pass changes what caches hold, as one does that leaves out a layer.
  enum class Judged { all, logits };
  FusionBuilder& approximate(Judged by = Judged::all);
  // A pass that wants the same ops. The one that gains less is given what the other leaves.
  FusionBuilder& rival(const std::string& pass);
  // Not in the pipeline unless --enable-pass or --passes names it: nothing is gained by it everywhere.
  FusionBuilder& on_request();
  // A graph to show the pass on, in text form.
  FusionBuilder& example(const std::string& graph);
  // Starts an alternative; the first that matches at a place wins.
  FusionBuilder& match(const std::string& pattern, Here at = Here::current());
  // Names the alternative, so that --set pass.NAME=skip turns it off.
  FusionBuilder& variant(const std::string& name);
  FusionBuilder& when(const std::string& reason, std::function<bool(const Match&)> guard);
  FusionBuilder& when(const std::string& reason, const char* condition, Here at = Here::current());
  FusionBuilder& rewrite(const std::string& text, Here at = Here::current());
  // Wraps the matched ops into a group called `label`, by default like the pass.
  FusionBuilder& group(const std::string& label = "");

  const FusionSpec& spec() const { return spec_; }

 private:
  FusionSpec spec_;
};

// Throws Error at the first mistake in the pass's texts.
void check_fusion(const FusionSpec& spec);

// The pass that a spec describes. Its texts are read when it runs, so that a mistake in one is an Error of
// that pass and no crash while the program starts.
std::unique_ptr<Pass> make_fusion(const FusionSpec& spec);
inline std::unique_ptr<Pass> make_fusion(const FusionBuilder& builder) { return make_fusion(builder.spec()); }

// Implicit on purpose: `static RegisterFusion f = FusionBuilder(…)….group();`
struct RegisterFusion {
  RegisterFusion(const FusionBuilder& builder);  // NOLINT(google-explicit-constructor)
};

#define LMC_FUSION(identifier, doc) \
  static const ::lmc::RegisterFusion identifier##_pass = ::lmc::FusionBuilder(#identifier, doc)

}  // namespace lmc
