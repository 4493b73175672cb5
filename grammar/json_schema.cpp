#include "grammar/json_schema.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "grammar/json_text.h"
#include "grammar/schema_shape.h"
#include "ir/error.h"

namespace lmc::grammar {
namespace {

// A rule for every set of schemas that hold of one value; recursion is a rule that is there already.
class Translation {
 public:
  Translation(std::string_view text, const std::string& name) : doc_(text, name), shapes_(doc_) {}

  Grammar run() {
    const RuleId root = rule_of({&doc_.root()});
    g_.set_root(root);
    for (; !todo_.empty(); todo_.pop_front()) {
      const auto [all, rule] = todo_.front();
      g_.define(rule, value(all));
    }
    return std::move(g_);
  }

 private:
  RuleId rule_of(const Conjunction& all) {
    constexpr size_t kMostRules = 20000;
    const auto [it, added] = rules_.try_emplace(all, 0);
    if (added) {
      if (rules_.size() > kMostRules)
        doc_.refuse(doc_.root(), "the schema takes more than " + std::to_string(kMostRules) + " rules");
      it->second = g_.add_rule(doc_.place(*all[0]));
      todo_.emplace_back(all, it->second);
    }
    return it->second;
  }
  ExprId value_of(const Conjunction& all) { return all.empty() ? json_.value() : g_.rule(rule_of(all)); }

  ExprId value(const Conjunction& all) {
    std::vector<ExprId> ways;
    for (const Shape& shape : shapes_.of(all)) ways.push_back(value(shape));
    return g_.choice(std::move(ways));
  }

  ExprId value(const Shape& s) {
    std::vector<ExprId> ways;
    if (s.values) {
      for (const Json* v : *s.values) ways.push_back(constant(*v));
      return g_.choice(std::move(ways));
    }
    if (s.types & kNull) ways.push_back(json_.null());
    if (s.types & kBoolean) ways.push_back(json_.boolean());
    if (s.types & kFraction) {
      ways.push_back(s.numbers.bounded() ? numbers_within(g_, s.numbers) : json_.number());
    } else if (s.types & kInteger) {
      ways.push_back(s.numbers.bounded() ? integers_within(g_, s.numbers) : json_.integer());
    }
    if (s.types & kString) ways.push_back(string(s));
    if (s.types & kArray) ways.push_back(array(s));
    if (s.types & kObject) ways.push_back(object(s));
    return g_.choice(std::move(ways));
  }

  ExprId string(const Shape& s) {
    if (const auto content = shapes_.content(s)) return json_.string_of(*content);
    if (s.max_length != kUnbounded && s.max_length < s.min_length) return g_.never();
    return json_.string(s.min_length, s.max_length);
  }

  ExprId constant(const Json& v) {
    if (v.is_string()) return json_.quoted(v.get<std::string>());
    if (v.is_array() || v.is_object()) {
      std::vector<ExprId> parts;
      for (const auto& [key, inner] : v.items()) {
        if (!parts.empty()) parts.push_back(g_.sequence({json_.blank(), json_.comma()}));
        if (v.is_object()) parts.push_back(g_.sequence({json_.quoted(key), json_.colon()}));
        parts.push_back(constant(inner));
      }
      return v.is_array() ? json_.within('[', g_.sequence(parts), ']')
                          : json_.within('{', g_.sequence(parts), '}');
    }
    if (!v.is_number()) return g_.text(v.dump());
    // 1.0 is the integer 1, which is how people write it.
    const auto d = Decimal::of(v.dump());
    std::vector<ExprId> ways = {g_.text(v.dump())};
    if (d && d->is_integer() && d->integer.size() <= 16)
      ways.push_back(g_.text((d->negative ? "-" : "") + d->integer));
    return g_.choice(std::move(ways));
  }

  // Items and what may follow each, as rules: a long list of them is no deep one.
  ExprId array(const Shape& s) {
    const auto n = static_cast<int32_t>(shapes_.prefix_items(s));
    if (s.max_items != kUnbounded && s.max_items < s.min_items) return g_.never();
    const ExprId rest = value_of(shapes_.item(s, static_cast<size_t>(n)));
    const auto left = [&](int32_t done) {
      return s.max_items == kUnbounded ? kUnbounded : std::max(s.max_items - done, 0);
    };
    // From item `at` on, where one came before.
    ExprId tail = g_.repeat(g_.sequence({json_.blank(), json_.comma(), rest}),
                            std::max(s.min_items - std::max(n, 1), 0), left(std::max(n, 1)));
    for (int32_t at = n - 1; at >= 1; --at) {
      const ExprId item = value_of(shapes_.item(s, static_cast<size_t>(at)));
      tail = ruled(optional_unless(at < s.min_items, at, s.max_items,
                                   g_.sequence({json_.blank(), json_.comma(), item, tail})));
    }
    const ExprId first = n > 0 ? value_of(shapes_.item(s, 0)) : rest;
    const ExprId items = g_.sequence({first, tail, json_.blank()});
    return g_.sequence(
        {g_.text("["), json_.blank(), optional_unless(s.min_items > 0, 0, s.max_items, items), g_.text("]")});
  }

  // What begins with item number `at`: it must be there, may be, or there is room for no more.
  ExprId optional_unless(bool needed, int32_t at, int32_t most, ExprId what) {
    if (most != kUnbounded && at >= most) return g_.empty();
    return needed ? what : g_.optional(what);
  }

  ExprId ruled(ExprId what) {
    const RuleId rule = g_.add_rule("");
    g_.define(rule, what);
    return g_.rule(rule);
  }

  ExprId object(const Shape& s) { return Members(*this, s).all(); }

  // The members of one shape of object.
  class Members {
   public:
    Members(Translation& t, const Shape& s)
        : t_(t), g_(t.g_), s_(s), counts_(s.max_properties != kUnbounded) {
      for (const std::string& name : s.members) {
        named_.push_back(
            g_.sequence({t.json_.quoted(name), t.json_.colon(), t.value_of(t.shapes_.member(s, name))}));
      }
      other_ = others();
      counts_ |= s.min_properties > static_cast<int32_t>(s.required.size());
    }

    ExprId all() {
      if (s_.max_properties != kUnbounded && s_.max_properties < s_.min_properties) return g_.never();
      return g_.sequence({g_.text("{"), t_.json_.blank(), from(0, 0), g_.text("}")});
    }

   private:
    // Members whose names are not among those named, by which patterns these match.
    ExprId others() {
      Automaton names;
      names.add_state();
      for (const std::string& name : s_.members) {
        uint32_t at = 0;
        for (const char c : name) {
          const uint32_t next = names.add_state();
          names.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>(c)), next});
          at = next;
        }
        names.states[at].final = true;
      }
      const auto known = deterministic(names, names.states.size() + 1);
      const Automaton free = meet(complement(*known), *t_.shapes_.any_text());
      std::vector<ExprId> ways;
      const size_t n = s_.key_patterns.size();
      for (size_t set = 0; set < (size_t{1} << n); ++set) {
        Automaton keys = free;
        std::vector<bool> matched(n);
        for (size_t i = 0; i < n; ++i) {
          matched[i] = (set >> i & 1) != 0;
          keys = meet(keys, matched[i] ? *s_.key_patterns[i] : complement(*s_.key_patterns[i]));
        }
        if (accepts_nothing(keys)) continue;
        const Conjunction of = t_.shapes_.other_member(s_, matched);
        if (std::any_of(of.begin(), of.end(),
                        [](const Json* j) { return j->is_boolean() && !j->get<bool>(); }))
          continue;
        open_ = true;
        const ExprId key = n == 0 && s_.members.empty() ? t_.json_.string() : t_.json_.string_of(keys);
        ways.push_back(g_.sequence({key, t_.json_.colon(), t_.value_of(of)}));
      }
      return g_.choice(std::move(ways));
    }

    Automaton meet(const Automaton& a, const Automaton& b) {
      constexpr size_t kMost = 40000;
      auto out = intersection(a, b, kMost);
      if (!out) t_.shapes_.too_large(s_, "the names of members");
      return std::move(*out);
    }

    // From named member `at` on, where `done` came before; with the blank behind the last one, if there was
    // one.
    ExprId from(size_t at, int32_t done) {
      if (!counts_) done = std::min(done, 1);
      const auto [it, added] = rules_.try_emplace({at, done}, 0);
      if (added) {
        constexpr size_t kMostRules = 20000;
        if (rules_.size() > kMostRules)
          t_.shapes_.too_large(s_, "minProperties and maxProperties with so many members");
        it->second = g_.add_rule("");
        todo_.push_back({at, done, it->second});
        if (todo_.size() == 1) {
          for (; !todo_.empty(); todo_.pop_front()) {
            const Step step = todo_.front();
            g_.define(step.rule, body(step.at, step.done));
          }
        }
      }
      return g_.rule(rules_.at({at, done}));
    }

    ExprId body(size_t at, int32_t done) {
      const ExprId comma = g_.sequence({t_.json_.blank(), t_.json_.comma()});
      const bool room = s_.max_properties == kUnbounded || !counts_ || done < s_.max_properties;
      if (at == named_.size()) {
        const int32_t missing = counts_ ? std::max(s_.min_properties - done, 0) : 0;
        const ExprId end = done > 0 ? t_.json_.blank() : g_.empty();
        if (!open_ || !room) return missing > 0 ? g_.never() : end;
        if (missing > 1) {
          t_.doc_.refuse(
              *s_.parts[0], "minProperties",
              "wants several members that are not named, and these may be one twice: not supported "
              "without additionalProperties: false");
        }
        const int32_t most = s_.max_properties == kUnbounded ? kUnbounded : s_.max_properties - done;
        const ExprId more = g_.sequence({comma, other_});
        if (done > 0) return g_.sequence({g_.repeat(more, missing, most), end});
        const int32_t after = most == kUnbounded ? kUnbounded : most - 1;
        const ExprId some = g_.sequence({other_, g_.repeat(more, 0, after), t_.json_.blank()});
        return missing > 0 ? some : g_.optional(some);
      }
      std::vector<ExprId> ways;
      if (room) {
        const ExprId head = done > 0 ? g_.sequence({comma, named_[at]}) : named_[at];
        ways.push_back(g_.sequence({head, from(at + 1, done + 1)}));
      }
      if (!s_.required.contains(s_.members[at])) ways.push_back(from(at + 1, done));
      return g_.choice(std::move(ways));
    }

    struct Step {
      size_t at;
      int32_t done;
      RuleId rule;
    };
    Translation& t_;
    Grammar& g_;
    const Shape& s_;
    std::vector<ExprId> named_;
    ExprId other_ = 0;
    bool open_ = false;  // may there be others?
    bool counts_;
    std::map<std::pair<size_t, int32_t>, RuleId> rules_;
    std::deque<Step> todo_;
  };

  Grammar g_;
  JsonText json_{g_};
  SchemaDocument doc_;
  Shapes shapes_;
  std::map<Conjunction, RuleId> rules_;
  std::deque<std::pair<Conjunction, RuleId>> todo_;
};

}  // namespace

Grammar grammar_of_json_schema(std::string_view text, const std::string& name) {
  return Translation(text, name).run();
}

Grammar grammar_of_json_object() {
  Grammar out;
  JsonText json(out);
  const RuleId root = out.add_rule("root");
  out.define(root, json.object());
  out.set_root(root);
  return out;
}

}  // namespace lmc::grammar
