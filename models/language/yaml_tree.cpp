#include "models/language/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <sstream>

#include "ir/budget.h"

namespace lmc {
namespace {

constexpr size_t kLongestFile = 4 << 20;  // a thousand times the longest one there is
constexpr size_t kMaxDepth = 64;

// What a tree takes, counted anew for each alias of it, which could otherwise multiply without end.
uint64_t bytes_of(const YamlNode& n) {
  uint64_t total = sizeof n + n.text.size();
  for (const YamlNode& i : n.items) total += bytes_of(i);
  for (const auto& [k, v] : n.entries) total += bytes_of(k) + bytes_of(v);
  return total;
}

std::vector<size_t> starts_of_lines(const std::string& text) {
  std::vector<size_t> out = {0};
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1))
    out.push_back(end + 1);
  return out;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& text, const std::string& file)
      : file_(file), text_(text), lines_(starts_of_lines(text)) {}

  YamlNode root;
  bool complete = false;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode n;
    n.loc = at(mark);
    add(std::move(n), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw Error(at(mark), "this alias refers to a value that contains it");
    memory_.take(bytes_of(it->second), at(mark));
    add(YamlNode(it->second), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode n;
    n.kind = YamlNode::Kind::scalar;
    n.text = value;
    n.plain = tag == "?";
    n.loc = at(mark);
    const auto line = static_cast<size_t>(mark.line);
    const auto column = static_cast<size_t>(mark.column);
    const size_t place = line < lines_.size() ? lines_[line] + column : text_.size();
    const bool block = place < text_.size() && (text_[place] == '|' || text_[place] == '>');
    n.text_line = mark.line + (block ? 2 : 1);
    if (block) n.plain = false;
    add(std::move(n), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    YamlNode key;
    bool has_key = false;
    std::set<std::string> keys;
  };

  Location at(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kMaxDepth) throw Error(at(mark), "nested too deeply");
    Open o;
    o.node.kind = kind;
    o.node.loc = at(mark);
    o.anchor = anchor;
    stack_.push_back(std::move(o));
  }

  void close() {
    Open o = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(o.node), o.anchor);
  }

  void add(YamlNode n, YAML::anchor_t anchor) {
    memory_.take(sizeof n + n.text.size(), n.loc);
    if (anchor != 0) {
      memory_.take(bytes_of(n), n.loc);
      anchors_[anchor] = n;
    }
    if (stack_.empty()) {
      root = std::move(n);
      complete = true;
      return;
    }
    Open& o = stack_.back();
    if (o.node.kind == YamlNode::Kind::list) {
      o.node.items.push_back(std::move(n));
    } else if (!o.has_key) {
      if (n.kind != YamlNode::Kind::scalar) throw Error(n.loc, "a key must be a name");
      if (!o.keys.insert(n.text).second) throw Error(n.loc, "key '" + n.text + "' is given twice");
      o.key = std::move(n);
      o.has_key = true;
    } else {
      o.node.entries.push_back({std::move(o.key), std::move(n)});
      o.has_key = false;
    }
  }

  FileName file_;
  const std::string& text_;
  std::vector<size_t> lines_;  // where they start
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  Budget memory_{uint64_t{24} << 20, "the values, with what aliases repeat, take more than 24 MB"};
};

}  // namespace

const YamlNode* YamlNode::find(const std::string& key) const {
  for (const auto& [k, v] : entries) {
    if (k.text == key) return &v;
  }
  return nullptr;
}

YamlNode parse_yaml(const std::string& text, const std::string& file) {
  if (text.size() > kLongestFile) throw Error(Location{file}, "a model file may have 4 MB at most");
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    TreeBuilder builder(text, file);
    if (!parser.HandleNextDocument(builder) || !builder.complete)
      throw Error({file, 1, 0}, "the file is empty");
    TreeBuilder second(text, file);
    if (parser.HandleNextDocument(second))
      throw Error(second.root.loc, "a second document; one file holds one model");
    return std::move(builder.root);
  } catch (const YAML::Exception& e) {
    throw Error({file, e.mark.line + 1, e.mark.column + 1}, e.msg);
  }
}

}  // namespace lmc
