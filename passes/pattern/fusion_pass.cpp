// Running a pattern pass: every alternative at every place, with the reasons where it did not fire.
#include <algorithm>
#include <optional>

#include "passes/pattern/condition.h"
#include "passes/pattern/fusion.h"
#include "passes/pattern/lmpass.h"
#include "passes/pattern/near_miss.h"
#include "passes/pattern/reading.h"

namespace lmc {
namespace {

using Settings = std::map<std::string, std::string>;

// Readings looked at before a place counts as unambiguous.
constexpr size_t kMostReadings = 32;

// An alternative whose texts have been read and checked.
struct Prepared {
  const FusionSpec::Alternative& source;
  Pattern pattern;
  std::optional<Rewrite> rewrite;                    // or a group
  std::vector<std::optional<Condition>> conditions;  // by guard; none where it is C++
};

Prepared prepare(const FusionSpec& spec, const FusionSpec::Alternative& a) {
  Prepared p{a, Pattern(a.pattern.text, a.pattern.at, a.group), std::nullopt, {}};
  KnownNames names = p.pattern.names();
  for (const auto& s : spec.settings) names.settings.insert(s.key);
  for (const FusionSpec::Guard& g : a.guards) {
    p.conditions.emplace_back();
    if (g.holds) continue;
    p.conditions.back().emplace(g.condition.text, g.condition.at);
    p.conditions.back()->check(names);
  }
  if (a.group) return p;
  p.rewrite.emplace(a.replacement.text, a.replacement.at);
  p.rewrite->check(p.pattern, names.settings);
  return p;
}

class FusionPass : public Pass {
 public:
  explicit FusionPass(FusionSpec spec) : spec_(std::move(spec)) {}

  std::string name() const override { return spec_.name; }
  std::string doc() const override { return spec_.doc; }
  std::vector<std::string> after() const override { return texts(spec_.after); }
  std::vector<std::string> before() const override { return texts(spec_.before); }
  std::vector<std::string> rivals() const override { return texts(spec_.rivals); }
  bool exact() const override { return spec_.exact; }
  bool compares_caches() const override { return spec_.caches; }
  bool standard() const override { return spec_.standard; }
  std::string text() const override { return lmpass_text(spec_); }
  std::string example() const override { return spec_.example; }
  std::vector<PassSetting> settings() const override {
    std::vector<PassSetting> out;
    for (const auto& s : spec_.settings) {
      std::string choices = s.choices.at(0) + " (default)";
      for (size_t i = 1; i < s.choices.size(); ++i) choices += " or " + s.choices[i];
      out.push_back({s.key, choices + ": " + s.doc});
    }
    for (const auto& a : spec_.alternatives) {
      if (!a.variant.empty()) out.push_back({a.variant, "skip leaves this variant out"});
    }
    return out;
  }

  bool run(Graph& g, PassContext& context) const override {
    const Settings settings = effective_settings(context);
    std::vector<NearMiss> misses;
    std::vector<std::string> nowhere;
    for (const auto& a : spec_.alternatives) {
      if (!a.variant.empty() && settings.at(a.variant) == "skip") continue;
      const Prepared p = prepare(spec_, a);
      const std::vector<OpId> anchors = p.pattern.anchors(g);
      if (anchors.empty()) nowhere.push_back(no_anchor(g, p.pattern));
      for (OpId anchor : anchors) {
        if (context.applications >= context.limit) break;
        if (!g.is_erased(anchor)) apply_at(g, p, settings, anchor, context, misses);
      }
    }
    // Where another alternative fitted in the end, there is nothing to explain.
    std::erase_if(misses, [&](const NearMiss& m) { return g.is_erased(m.anchor); });
    context.near_misses = folded(misses);
    if (context.applications == 0)
      context.near_misses.insert(context.near_misses.end(), nowhere.begin(), nowhere.end());
    if (!spec_.summary.empty() && (spec_.tell_none || context.applications > 0))
      context.summary = summary(context.applications);
    return context.applications > 0;
  }

 private:
  static std::vector<std::string> texts(const std::vector<FusionSpec::Text>& list) {
    std::vector<std::string> out;
    for (const auto& t : list) out.push_back(t.text);
    return out;
  }

  // What --set says, or the default; Error for what is no choice.
  Settings effective_settings(const PassContext& context) const {
    Settings out;
    std::vector<FusionSpec::Setting> known = spec_.settings;
    for (const auto& a : spec_.alternatives) {
      if (!a.variant.empty()) known.push_back({a.variant, {"use", "skip"}, ""});
    }
    for (const auto& s : known) {
      const std::string chosen = context.setting(s.key, s.choices.at(0));
      if (std::find(s.choices.begin(), s.choices.end(), chosen) == s.choices.end()) {
        std::string choices;
        for (const std::string& c : s.choices) choices += (choices.empty() ? "" : " or ") + c;
        throw Error(spec_.name + "." + s.key + " must be " + choices + ", found '" + chosen + "'");
      }
      out[s.key] = chosen;
    }
    return out;
  }

  void apply_at(Graph& g, const Prepared& p, const Settings& settings, OpId anchor, PassContext& context,
                std::vector<NearMiss>& misses) const {
    std::string near;
    const auto refusal = [&](Match& m) {
      m.settings = &settings;
      return refused(g, p, m);
    };
    const std::vector<Match> found = p.pattern.readings(g, anchor, refusal, kMostReadings, &near);
    if (found.empty()) {
      if (!near.empty()) misses.push_back({anchor, g.op(anchor).scope, near});
      return;
    }
    check_others(p, found, context);
    if (p.rewrite) {
      p.rewrite->apply(g, p.pattern, found[0]);
    } else {
      make_group(g, found[0].ops, p.source.label.empty() ? spec_.name : p.source.label, p.source.pattern.at);
    }
    ++context.applications;
  }

  // Other ops at this place are another match, and the first in order wins. The same ops read another way, to
  // another end, are a mistake of the pattern.
  static void check_others(const Prepared& p, const std::vector<Match>& found, PassContext& context) {
    bool told = false;
    for (size_t i = 1; i < found.size(); ++i) {
      if (!same_ops(found[0], found[i])) {
        if (!told) context.remarks.push_back(overlap(p.pattern, found[0], found[i]));
        told = true;
      } else if (p.rewrite && !p.rewrite->same_result(p.pattern, found[0], found[i])) {
        throw ambiguity(p.pattern, found[0], found[i]);
      }
    }
  }

  // Why this reading does not count, or "".
  static std::string refused(const Graph& g, const Prepared& p, const Match& m) {
    for (size_t i = 0; i < p.conditions.size(); ++i) {
      const FusionSpec::Guard& guard = p.source.guards[i];
      std::string why;
      const bool good = p.conditions[i] ? p.conditions[i]->holds(m.bound_names(), &why) : guard.holds(m);
      if (!good) {
        return "refused, for it does not hold that " + guard.reason + (why.empty() ? "" : " (" + why + ")");
      }
    }
    return replace_obstacle(g, m.ops, p.rewrite ? p.rewrite->vanishing(m) : std::vector<ValueId>{});
  }

  std::string summary(int64_t applications) const {
    std::string out = spec_.summary;
    if (const size_t at = out.find("{}"); at != std::string::npos)
      out.replace(at, 2, std::to_string(applications));
    return out;
  }

  FusionSpec spec_;
};

}  // namespace

void check_fusion(const FusionSpec& spec) {
  for (const auto& a : spec.alternatives) prepare(spec, a);
}

std::unique_ptr<Pass> make_fusion(const FusionSpec& spec) { return std::make_unique<FusionPass>(spec); }

}  // namespace lmc
