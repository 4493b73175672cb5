#include "grammar/regex.h"

#include <algorithm>
#include <map>
#include <utility>

#include "grammar/text_cursor.h"

namespace lmc::grammar {
namespace regex {

constexpr int kMostNesting = 200;
constexpr int32_t kMostCount = 100000;
constexpr size_t kMostPattern = size_t{1} << 16;
constexpr size_t kMostOfPattern = kMostStates / 2;  // until it is deterministic, it is held twice

struct Node {
  enum class Kind : uint8_t { chars, sequence, choice, repeat, begin, end };
  Kind kind = Kind::sequence;
  CodePoints chars = {};
  std::vector<uint32_t> parts = {};
  int32_t least = 0, most = 0;
};
using Kind = Node::Kind;

const CodePoints kDigits = {{'0', '9'}};
const CodePoints kWord = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}};
const CodePoints kBlank = {{9, 13},          {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                           {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                           {0x3000, 0x3000}, {0xfeff, 0xfeff}};
const CodePoints kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : in_(text, name) {
    if (text.size() > kMostPattern)
      throw Error(name + ": a regular expression may have " + std::to_string(kMostPattern) +
                  " bytes at most");
  }
  uint32_t read() {
    const uint32_t out = choice(0);
    if (!in_.at_end()) in_.refuse("this ) has no (");
    return out;
  }
  std::vector<Node> nodes;

 private:
  uint32_t add(Node n) {
    nodes.push_back(std::move(n));
    return static_cast<uint32_t>(nodes.size() - 1);
  }

  uint32_t choice(int nesting) {
    if (nesting > kMostNesting)
      in_.refuse("groups may be nested " + std::to_string(kMostNesting) + " deep at most");
    Node out{Kind::choice};
    do out.parts.push_back(sequence(nesting));
    while (in_.skip("|"));
    return out.parts.size() == 1 ? out.parts[0] : add(std::move(out));
  }

  uint32_t sequence(int nesting) {
    Node out{Kind::sequence};
    while (!in_.at_end() && in_.peek() != '|' && in_.peek() != ')')
      out.parts.push_back(repeated(item(nesting)));
    return add(std::move(out));
  }

  uint32_t item(int nesting) {
    const size_t begin = in_.position();
    if (in_.skip("^")) return add({Kind::begin});
    if (in_.skip("$")) return add({Kind::end});
    if (in_.skip("(")) return group(begin, nesting);
    if (in_.skip("[")) return add({Kind::chars, character_class(begin)});
    if (in_.skip(".")) return add({Kind::chars, ~kLineEnds});
    if (in_.peek() == '*' || in_.peek() == '+' || in_.peek() == '?')
      in_.refuse("there is nothing to repeat here");
    if (in_.peek() == '{' || in_.peek() == '}' || in_.peek() == ']')
      in_.refuse(std::string("a ") + in_.peek() + " by itself is written with a \\ before it");
    if (in_.skip("\\")) return add({Kind::chars, escape(begin)});
    const uint32_t c = in_.take_character();
    return add({Kind::chars, {{c, c}}});
  }

  uint32_t group(size_t begin, int nesting) {
    if (in_.skip("?")) {
      if (in_.skip("=") || in_.skip("!") || in_.skip("<=") || in_.skip("<!"))
        in_.refuse_at(begin, "look-around ((?=…), (?!…), (?<=…), (?<!…)) is not supported");
      if (in_.skip("<")) {
        while (!in_.at_end() && in_.peek() != '>' && in_.peek() != ')') in_.take_character();
        if (!in_.skip(">")) in_.refuse_at(begin, "the group's name has no end");
      } else if (!in_.skip(":")) {
        in_.refuse_at(begin, "flags and other (?…) are not supported");
      }
    }
    const uint32_t out = choice(nesting + 1);
    if (!in_.skip(")")) in_.refuse_at(begin, "this ( has no )");
    return out;
  }

  uint32_t repeated(uint32_t one) {
    const size_t begin = in_.position();
    const auto turns =
        in_.take_turns(kMostCount, "a repetition is {n}, {n,} or {m,n}; a { by itself is written \\{", [] {});
    if (!turns) return one;
    in_.skip("?");  // takes as little as it can: the same texts
    if (nodes[one].kind == Kind::begin || nodes[one].kind == Kind::end)
      in_.refuse_at(begin, "^ and $ cannot be repeated");
    if (in_.peek() == '*' || in_.peek() == '+' || in_.peek() == '?' || in_.peek() == '{')
      in_.refuse("a repetition of a repetition needs a group around it");
    return add({Kind::repeat, {}, {one}, turns->least, turns->most});
  }

  CodePoints character_class(size_t begin) {
    const bool others = in_.skip("^");
    CodePoints out;
    while (!in_.skip("]")) {
      if (in_.at_end()) in_.refuse_at(begin, "this [ has no ]");
      const size_t at = in_.position();
      const CodePoints first = class_member();
      if (in_.peek() == '-' && in_.peek(1) != ']' && in_.peek(1) != '\0') {
        in_.take();
        const CodePoints last = class_member();
        if (!is_one(first) || !is_one(last)) in_.refuse_at(at, "a range lies between two characters");
        const uint32_t from = first.ranges()[0].first, to = last.ranges()[0].first;
        if (to < from) in_.refuse_at(at, "this range ends before it begins");
        out.add(from, to);
      } else {
        out.add(first);
      }
    }
    return others ? ~out : out;
  }

  static bool is_one(const CodePoints& p) {
    return p.ranges().size() == 1 && p.ranges()[0].first == p.ranges()[0].second;
  }

  CodePoints class_member() {
    const size_t begin = in_.position();
    if (!in_.skip("\\")) {
      const uint32_t c = in_.take_character();
      return {{c, c}};
    }
    if (in_.skip("b")) return {{8, 8}};
    return escape(begin);
  }

  CodePoints escape(size_t begin) {
    if (in_.at_end()) in_.refuse_at(begin, "a \\ at the end escapes nothing");
    const char c = in_.take();
    const auto one = [](uint32_t p) { return CodePoints{{p, p}}; };
    switch (c) {
      case 'd':
        return kDigits;
      case 'D':
        return ~kDigits;
      case 'w':
        return kWord;
      case 'W':
        return ~kWord;
      case 's':
        return kBlank;
      case 'S':
        return ~kBlank;
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 't':
        return one('\t');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case '0':
        if (in_.peek() >= '0' && in_.peek() <= '9')
          in_.refuse_at(begin, "octal escapes are not supported: write \\xHH");
        return one(0);
      case 'x':
        return one(in_.take_hex(2));
      case 'u':
        return one(unicode(begin));
      case 'b':
      case 'B':
        in_.refuse_at(begin, "word borders (\\b, \\B) are not supported");
      case 'p':
      case 'P':
        in_.refuse_at(begin, "Unicode properties (\\p{…}) are not supported: write the ranges");
      case 'k':
        in_.refuse_at(begin, "back-references (\\k) are not supported");
      default:
        break;
    }
    if (c >= '1' && c <= '9') in_.refuse_at(begin, "back-references (\\1) are not supported");
    if (std::string_view("^$\\.*+?()[]{}|/-#&~=!<>:,;'\"`@% _").find(c) == std::string_view::npos)
      in_.refuse_at(begin, "there is no such escape");
    return one(static_cast<uint8_t>(c));
  }

  uint32_t unicode(size_t begin) {
    if (in_.skip("{")) {
      uint32_t p = 0;
      int digits = 0;
      while (!in_.skip("}")) {
        if (++digits > 6) in_.refuse_at(begin, "there is no such code point");
        p = p * 16 + in_.take_hex(1);
      }
      if (digits == 0 || p > CodePoints::kLast) in_.refuse_at(begin, "there is no such code point");
      return p;
    }
    const uint32_t p = in_.take_hex(4);
    if (p < 0xd800 || p > 0xdbff || !in_.skip("\\u")) return p;  // a lone surrogate is no character
    const uint32_t low = in_.take_hex(4);
    if (low < 0xdc00 || low > 0xdfff) in_.refuse_at(begin, "a high surrogate has no low one behind it");
    return 0x10000 + ((p - 0xd800) << 10) + (low - 0xdc00);
  }

  TextCursor in_;
};

// States with ^ and $ as ways that hold in some places only.
class Builder {
 public:
  Builder(const std::vector<Node>& nodes, const std::string& name) : nodes_(nodes), name_(name) {}

  Automaton build(uint32_t root, Match match) {
    const uint32_t start = state(), end = state();
    uint32_t from = start, to = end;
    if (match == Match::anywhere) {
      from = state();
      to = state();
      a_.states[start].empty.push_back(from);
      a_.states[to].empty.push_back(end);
      add_chars(CodePoints::all(), from, from);
      add_chars(CodePoints::all(), to, to);
    }
    add(root, from, to);
    a_.states[end].final = true;
    return without_anchors();
  }

 private:
  uint32_t state() {
    if (a_.states.size() >= kMostOfPattern)
      throw Error(name_ + ": the regular expression takes more than " + std::to_string(kMostOfPattern) +
                  " states; smaller repetitions help");
    return a_.add_state();
  }

  void add(uint32_t id, uint32_t from, uint32_t to) {
    const Node& n = nodes_[id];
    switch (n.kind) {
      case Kind::chars:
        add_chars(n.chars, from, to);
        break;
      case Kind::begin:
        begins_.emplace(from, to);
        break;
      case Kind::end:
        ends_.emplace(from, to);
        break;
      case Kind::choice:
        for (const uint32_t p : n.parts) add(p, from, to);
        break;
      case Kind::sequence:
        if (n.parts.empty()) a_.states[from].empty.push_back(to);
        for (size_t i = 0; i < n.parts.size(); ++i) {
          const uint32_t next = i + 1 == n.parts.size() ? to : state();
          add(n.parts[i], from, next);
          from = next;
        }
        break;
      case Kind::repeat:
        add_repeat(n, from, to);
        break;
    }
  }

  void add_repeat(const Node& n, uint32_t from, uint32_t to) {
    const auto once = [&] {
      const uint32_t next = state();
      add(n.parts[0], from, next);
      from = next;
    };
    const bool loops = n.most == kUnbounded;
    for (int32_t i = 0; i < n.least - (loops ? 1 : 0); ++i) once();
    if (loops) {
      const uint32_t loop = state();
      a_.states[from].empty.push_back(loop);
      if (n.least == 0) a_.states[from].empty.push_back(to);
      from = loop;
      once();
      a_.states[from].empty.push_back(loop);
      a_.states[from].empty.push_back(to);
      return;
    }
    for (int32_t i = n.least; i < n.most; ++i) {
      a_.states[from].empty.push_back(to);
      once();
    }
    a_.states[from].empty.push_back(to);
  }

  void add_chars(const CodePoints& chars, uint32_t from, uint32_t to) {
    const Automaton& one = one_of(chars);
    std::vector<uint32_t> number = {from};
    for (size_t s = 1; s < one.states.size(); ++s) number.push_back(one.states[s].final ? to : state());
    for (size_t s = 0; s < one.states.size(); ++s) {
      for (const auto& e : one.states[s].edges) a_.states[number[s]].edges.push_back({e.bytes, number[e.to]});
    }
  }

  // The bytes of one of these: for each at most one way, and where they end nothing follows. Ways that end
  // alike share their ends.
  const Automaton& one_of(const CodePoints& chars) {
    const auto [known, is_new] = chars_.try_emplace(chars.ranges());
    if (!is_new) return known->second;
    Automaton a;
    const uint32_t from = a.add_state(), to = a.add_state();
    a.states[to].final = true;
    std::map<std::vector<ByteSet>, uint32_t> before;  // by the bytes still to come
    before[{}] = to;
    for (const std::vector<ByteSet>& way : utf8_ways(chars)) {
      uint32_t behind = to;
      for (size_t i = way.size() - 1; i > 0; --i) {
        const auto [it, added] = before.try_emplace({way.begin() + static_cast<ptrdiff_t>(i), way.end()}, 0);
        if (added) {
          it->second = a.add_state();
          a.states[it->second].edges.push_back({way[i], behind});
        }
        behind = it->second;
      }
      a.states[from].edges.push_back({way[0], behind});
    }
    make_deterministic(a, kMostOfPattern);
    return known->second = std::move(a);
  }

  // Every state once for each place: ^ holds at the start alone; behind $ there is no byte.
  Automaton without_anchors() {
    if (begins_.empty() && ends_.empty()) return std::move(a_);
    enum : uint32_t { kAtStart = 1, kAtEnd = 2 };
    Automaton out;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> numbers;
    std::vector<std::pair<uint32_t, uint32_t>> todo;
    const auto number = [&](uint32_t s, uint32_t place) {
      const auto [it, added] = numbers.try_emplace({s, place}, static_cast<uint32_t>(out.states.size()));
      if (added) {
        out.add_state();
        todo.emplace_back(s, place);
      }
      return it->second;
    };
    number(0, kAtStart);
    for (size_t i = 0; i < todo.size(); ++i) {
      const auto [s, place] = todo[i];
      Automaton::State state;
      state.final = a_.states[s].final;
      for (const uint32_t t : a_.states[s].empty) state.empty.push_back(number(t, place));
      if (place & kAtStart) {
        const auto [first, last] = begins_.equal_range(s);
        for (auto it = first; it != last; ++it) state.empty.push_back(number(it->second, place));
      }
      const auto [first, last] = ends_.equal_range(s);
      for (auto it = first; it != last; ++it) state.empty.push_back(number(it->second, place | kAtEnd));
      if (!(place & kAtEnd)) {
        for (const auto& e : a_.states[s].edges) state.edges.push_back({e.bytes, number(e.to, 0)});
      }
      out.states[i] = std::move(state);
    }
    return out;
  }

  const std::vector<Node>& nodes_;
  const std::string& name_;
  Automaton a_;
  std::map<std::vector<std::pair<uint32_t, uint32_t>>, Automaton> chars_;
  std::multimap<uint32_t, uint32_t> begins_, ends_;
};

}  // namespace regex

Automaton automaton_of_regex(std::string_view pattern, Match match, const std::string& name) {
  regex::Parser parser(pattern, name);
  const uint32_t root = parser.read();
  return regex::Builder(parser.nodes, name).build(root, match);
}

Grammar grammar_of_regex(std::string_view pattern, const std::string& name) {
  Grammar out;
  const RuleId root = out.add_rule("");
  out.define(root, out.automaton(automaton_of_regex(pattern, Match::whole, name)));
  out.set_root(root);
  return out;
}

}  // namespace lmc::grammar
