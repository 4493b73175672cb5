#include "passes/fusion.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

struct Prepared {
  Pattern pattern;
  std::optional<Rewrite> rewrite;
  std::vector<std::string> vanishing;  // result variables that must have no other reader
};

Prepared prepare(const FusionBuilder::Alternative& a) {
  Prepared p{Pattern(a.pattern_text, a.pattern_at.file, a.group, a.pattern_at.line), std::nullopt, {}};
  if (a.group) return p;
  p.rewrite.emplace(a.rewrite_text, a.rewrite_at.file, a.rewrite_at.line);
  p.rewrite->check(p.pattern.statements());
  p.vanishing = p.rewrite->vanishing(p.pattern.statements());
  return p;
}

class FusionPass : public Pass {
 public:
  explicit FusionPass(FusionBuilder::Spec spec) : spec_(std::move(spec)) {}

  std::string name() const override { return spec_.name; }
  std::string doc() const override { return spec_.doc; }
  std::vector<std::string> after() const override { return spec_.after; }
  std::vector<std::string> before() const override { return spec_.before; }
  std::vector<PassSetting> settings() const override {
    std::vector<PassSetting> out;
    for (const auto& a : spec_.alternatives) {
      if (!a.variant.empty()) out.push_back({a.variant, "skip leaves this variant out"});
    }
    return out;
  }

  bool run(Graph& g, PassContext& context) const override {
    Misses misses;
    for (const auto& a : spec_.alternatives) {
      if (!a.variant.empty() && skipped(a.variant, context)) continue;
      const Prepared p = prepare(a);
      for (OpId anchor : p.pattern.anchors(g)) {
        if (context.applications >= context.limit) break;
        if (!g.is_erased(anchor)) apply_at(g, a, p, anchor, context, misses);
      }
    }
    // Where another alternative fitted in the end, there is nothing to explain.
    for (const auto& [anchor, miss] : misses) {
      if (!g.is_erased(anchor)) context.near_misses.push_back(miss);
    }
    if (!spec_.summary.empty()) context.summary = summary(context.applications);
    return context.applications > 0;
  }

 private:
  using Misses = std::vector<std::pair<OpId, std::string>>;

  bool skipped(const std::string& variant, const PassContext& context) const {
    const std::string setting = context.setting(variant, "use");
    if (setting != "use" && setting != "skip") {
      throw Error(spec_.name + "." + variant + " must be use or skip, found '" + setting + "'");
    }
    return setting == "skip";
  }

  void apply_at(Graph& g, const FusionBuilder::Alternative& a, const Prepared& p, OpId anchor,
                PassContext& context, Misses& misses) const {
    const std::string& scope = g.op(anchor).scope;
    const auto miss = [&](const std::string& why) {
      misses.emplace_back(anchor, (scope.empty() ? "" : scope + ": ") + why);
    };
    std::string near;
    const std::optional<Match> m = p.pattern.match_at(g, anchor, &near);
    if (!m) {
      if (!near.empty()) miss(near);
      return;
    }
    for (const auto& guard : a.guards) {
      if (!guard.holds(*m)) return miss("refused, for it does not hold that " + guard.reason);
    }
    std::vector<ValueId> vanishing;
    for (const std::string& v : p.vanishing) vanishing.push_back((*m)[v]);
    if (const std::string obstacle = replace_obstacle(g, m->ops, vanishing); !obstacle.empty())
      return miss(obstacle);
    if (a.group) {
      make_group(g, m->ops, a.label.empty() ? spec_.name : a.label);
    } else {
      p.rewrite->apply(g, *m);
    }
    ++context.applications;
  }

  std::string summary(int64_t applications) const {
    std::string out = spec_.summary;
    if (const size_t at = out.find("{}"); at != std::string::npos)
      out.replace(at, 2, std::to_string(applications));
    return out;
  }

  FusionBuilder::Spec spec_;
};

Location location(const std::source_location& at) {
  const std::string file = at.file_name();
  const size_t folder = file.rfind("passes/");
  return {folder == std::string::npos ? file : file.substr(folder), static_cast<int>(at.line())};
}

}  // namespace

FusionBuilder::FusionBuilder(const std::string& identifier, const std::string& doc) {
  spec_.name = identifier;
  std::replace(spec_.name.begin(), spec_.name.end(), '_', '-');
  spec_.doc = doc;
}

FusionBuilder& FusionBuilder::after(const std::string& pass) {
  spec_.after.push_back(pass);
  return *this;
}

FusionBuilder& FusionBuilder::before(const std::string& pass) {
  spec_.before.push_back(pass);
  return *this;
}

FusionBuilder& FusionBuilder::summary(const std::string& line) {
  spec_.summary = line;
  return *this;
}

FusionBuilder& FusionBuilder::match(const std::string& pattern, Here at) {
  spec_.alternatives.push_back({});
  spec_.alternatives.back().pattern_text = pattern;
  spec_.alternatives.back().pattern_at = location(at);
  return *this;
}

FusionBuilder& FusionBuilder::variant(const std::string& name) {
  spec_.alternatives.back().variant = name;
  return *this;
}

FusionBuilder& FusionBuilder::when(const std::string& reason, std::function<bool(const Match&)> guard) {
  spec_.alternatives.back().guards.push_back({reason, std::move(guard)});
  return *this;
}

FusionBuilder& FusionBuilder::rewrite(const std::string& text, Here at) {
  spec_.alternatives.back().rewrite_text = text;
  spec_.alternatives.back().rewrite_at = location(at);
  return *this;
}

FusionBuilder& FusionBuilder::group(const std::string& label) {
  spec_.alternatives.back().group = true;
  spec_.alternatives.back().label = label;
  return *this;
}

std::unique_ptr<Pass> make_fusion(const FusionBuilder& builder) {
  return std::make_unique<FusionPass>(builder.spec());
}

RegisterFusion::RegisterFusion(const FusionBuilder& builder) { RegisterPass{make_fusion(builder)}; }

}  // namespace lmc
