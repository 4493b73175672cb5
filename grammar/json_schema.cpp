#include "grammar/json_schema.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "grammar/json_text.h"
#include "grammar/schema_shapes.h"
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
    if (s.types & (kInteger | kFraction)) ways.push_back(number(s));
    if (s.types & kString) ways.push_back(string(s));
    if (s.types & kArray) ways.push_back(array(s));
    if (s.types & kObject) ways.push_back(object(s));
    return g_.choice(std::move(ways));
  }

  ExprId number(const Shape& s) {
    const bool integers = (s.types & kInteger) != 0, fractions = (s.types & kFraction) != 0;
    if (s.numbers.is_all() && integers) return fractions ? json_.number() : json_.integer();
    auto texts = numbers_within(s.numbers, integers, fractions);
    if (!texts) shapes_.strings().too_large(s, "bounds and multipleOf of a number");
    return accepts_nothing(*texts) ? g_.never() : g_.automaton(std::move(*texts));
  }

  ExprId string(const Shape& s) {
    if (const auto content = shapes_.strings().content(s)) return json_.string_of(*content);
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
    if (s.unique_items || !s.contained.empty()) return Items(*this, s).all();
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

  // The items of an array where it matters which came before: how many fit `contains`, and what must not come
  // again. A rule for each of what may have come.
  class Items {
   public:
    Items(Translation& t, const Shape& s)
        : t_(t), g_(t.g_), s_(s), prefix_(static_cast<int32_t>(t.shapes_.prefix_items(s))) {
      if (s.contained.size() > 1)
        t.doc_.refuse(*s.contained[1].what, "a second contains for an array is not supported");
      if (!s.contained.empty()) contained_ = s.contained[0];
      if (s.unique_items) find_values();
    }

    ExprId all() {
      if (contained_.most != kUnbounded && contained_.most < contained_.least) return g_.never();
      return g_.sequence({g_.text("["), t_.json_.blank(), from({}), g_.text("]")});
    }

   private:
    struct Came {
      int32_t items = 0, fitting = 0;
      uint64_t values = 0;  // of those that there are
      auto operator<=>(const Came&) const = default;
    };

    void find_values() {
      for (int32_t at = 0; at <= prefix_; ++at) {
        const Conjunction item = t_.shapes_.item(s_, static_cast<size_t>(at));
        const auto values = t_.shapes_.finite(item);
        if (!values) {
          const Json& owner = **std::find_if(s_.parts.begin(), s_.parts.end(),
                                             [](const Json* p) { return p->contains("uniqueItems"); });
          t_.doc_.refuse(owner, "uniqueItems",
                         "is supported where items are of few values only: enum, const, null, booleans, "
                         "integers within bounds");
        }
        for (const Json& v : *values) number_of(v);
        if (at == s_.max_items) break;
      }
      if (values_.size() > 64) t_.shapes_.strings().too_large(s_, "uniqueItems of so many values");
    }
    size_t number_of(const Json& v) {
      const auto it = std::find(values_.begin(), values_.end(), v);
      if (it != values_.end()) return static_cast<size_t>(it - values_.begin());
      values_.push_back(v);
      return values_.size() - 1;
    }

    ExprId from(const Came& came) {
      const auto [it, added] = rules_.try_emplace(came, 0);
      if (added) {
        constexpr size_t kMostRules = 20000;
        if (rules_.size() > kMostRules)
          t_.shapes_.strings().too_large(s_, "contains, uniqueItems, minItems and maxItems");
        it->second = g_.add_rule("");
        todo_.emplace_back(came, it->second);
        if (todo_.size() == 1) {
          for (; !todo_.empty(); todo_.pop_front()) {
            const auto [next, rule] = todo_.front();
            g_.define(rule, body(next));
          }
        }
      }
      return g_.rule(rules_.at(came));
    }

    ExprId body(const Came& came) {
      std::vector<ExprId> ways;
      const int32_t needed = s_.contained.empty() ? 0 : contained_.least;
      if (came.items >= s_.min_items && came.fitting >= needed)
        ways.push_back(came.items > 0 ? t_.json_.blank() : g_.empty());
      if (s_.max_items == kUnbounded || came.items < s_.max_items) {
        const Conjunction item = t_.shapes_.item(s_, static_cast<size_t>(std::min(came.items, prefix_)));
        if (s_.unique_items)
          add_values(came, item, ways);
        else
          add_items(came, item, ways);
      }
      return g_.choice(std::move(ways));
    }

    void add_values(const Came& came, const Conjunction& item, std::vector<ExprId>& ways) {
      const auto fitting = s_.contained.empty()
                               ? std::vector<Json>()
                               : t_.shapes_.finite(t_.shapes_.with(item, *contained_.what)).value();
      const std::vector<Json> values = t_.shapes_.finite(item).value();
      for (const Json& v : values) {
        const size_t number = number_of(v);
        if (came.values >> number & 1) continue;
        Came next = came;
        next.values |= uint64_t{1} << number;
        if (std::find(fitting.begin(), fitting.end(), v) != fitting.end()) ++next.fitting;
        add(came, t_.constant(v), next, ways);
      }
    }

    void add_items(const Came& came, const Conjunction& item, std::vector<ExprId>& ways) {
      Came next = came;
      ++next.fitting;
      // Where any number may fit, one that does may be read as one that does not.
      const bool open = contained_.most == kUnbounded;
      if (!open || came.fitting < contained_.least)
        add(came, t_.value_of(t_.shapes_.with(item, *contained_.what)), next, ways);
      const Conjunction other = open ? item : t_.shapes_.with(item, t_.shapes_.negation(*contained_.what));
      add(came, t_.value_of(other), came, ways);
    }

    void add(const Came& came, ExprId item, Came next, std::vector<ExprId>& ways) {
      if (contained_.most != kUnbounded && next.fitting > contained_.most) return;
      const int32_t least = std::max(prefix_, s_.min_items);
      next.items = came.items + 1;
      if (s_.max_items == kUnbounded) next.items = std::min(next.items, std::max(least, 1));
      if (contained_.most == kUnbounded) next.fitting = std::min(next.fitting, contained_.least);
      if (came.items > 0) item = g_.sequence({t_.json_.blank(), t_.json_.comma(), item});
      ways.push_back(g_.sequence({item, from(next)}));
    }

    Translation& t_;
    Grammar& g_;
    const Shape& s_;
    const int32_t prefix_;
    Contained contained_;
    std::vector<Json> values_;
    std::map<Came, RuleId> rules_;
    std::deque<std::pair<Came, RuleId>> todo_;
  };

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
        : t_(t), g_(t.g_), s_(s), names_(t.shapes_.names(s)), counts_(s.max_properties != kUnbounded) {
      for (const std::string& name : s.members) {
        if (names_ && !accepts(*names_, name)) {
          named_.push_back(g_.never());
          continue;
        }
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
      Automaton free = meet(complement(automaton_of_texts(s_.members)), *t_.shapes_.strings().any_text());
      if (names_) free = meet(free, *names_);
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
        const ExprId key =
            n == 0 && s_.members.empty() && !names_ ? t_.json_.string() : t_.json_.string_of(keys);
        ways.push_back(g_.sequence({key, t_.json_.colon(), t_.value_of(of)}));
      }
      return g_.choice(std::move(ways));
    }

    Automaton meet(const Automaton& a, const Automaton& b) {
      constexpr size_t kMost = 40000;
      auto out = intersection(a, b, kMost);
      if (!out) t_.shapes_.strings().too_large(s_, "the names of members");
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
          t_.shapes_.strings().too_large(s_, "minProperties and maxProperties with so many members");
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
    const std::optional<Automaton> names_;  // that members may have
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
