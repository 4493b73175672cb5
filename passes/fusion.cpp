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

class FusionPass : public Pass {
 public:
  explicit FusionPass(FusionBuilder::Spec spec) : spec_(std::move(spec)) {
    for (const auto& a : spec_.alternatives) {
      Prepared p{Pattern(a.pattern_text, spec_.name, a.group), std::nullopt, {}};
      if (!a.group) {
        p.rewrite.emplace(a.rewrite_text, spec_.name);
        p.vanishing = p.rewrite->vanishing(p.pattern.statements());
      }
      prepared_.push_back(std::move(p));
    }
  }

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
    for (size_t i = 0; i < prepared_.size(); ++i) {
      const auto& a = spec_.alternatives[i];
      if (!a.variant.empty() && context.setting(a.variant, "use") == "skip") continue;
      for (OpId anchor : prepared_[i].pattern.anchors(g)) {
        if (context.applications >= context.limit) break;
        if (!g.is_erased(anchor)) apply_at(g, i, anchor, context);
      }
    }
    if (!spec_.summary.empty()) {
      context.summary = spec_.summary;
      context.summary.replace(context.summary.find("{}"), 2, std::to_string(context.applications));
    }
    return context.applications > 0;
  }

 private:
  void apply_at(Graph& g, size_t i, OpId anchor, PassContext& context) const {
    const auto& a = spec_.alternatives[i];
    const Prepared& p = prepared_[i];
    std::string near;
    const std::optional<Match> m = p.pattern.match_at(g, anchor, &near);
    if (!m) {
      if (!near.empty()) context.near_misses.push_back(near);
      return;
    }
    const std::string where = g.op(anchor).scope.empty() ? "" : g.op(anchor).scope + ": ";
    for (const auto& guard : a.guards) {
      if (guard.holds(*m)) continue;
      context.near_misses.push_back(where + "refused, for it does not hold that " + guard.reason);
      return;
    }
    std::vector<ValueId> vanishing;
    for (const std::string& v : p.vanishing) vanishing.push_back((*m)[v]);
    if (const std::string obstacle = replace_obstacle(g, m->ops, vanishing); !obstacle.empty()) {
      context.near_misses.push_back(where + obstacle);
      return;
    }
    if (a.group) {
      make_group(g, m->ops, spec_.name);
    } else {
      p.rewrite->apply(g, *m);
    }
    ++context.applications;
  }

  FusionBuilder::Spec spec_;
  std::vector<Prepared> prepared_;
};

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

FusionBuilder& FusionBuilder::match(const std::string& pattern) {
  spec_.alternatives.push_back({});
  spec_.alternatives.back().pattern_text = pattern;
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

FusionBuilder& FusionBuilder::rewrite(const std::string& text) {
  spec_.alternatives.back().rewrite_text = text;
  return *this;
}

FusionBuilder& FusionBuilder::group() {
  spec_.alternatives.back().group = true;
  return *this;
}

RegisterFusion::RegisterFusion(const FusionBuilder& builder) {
  RegisterPass{std::make_unique<FusionPass>(builder.spec())};
}

}  // namespace lmc
