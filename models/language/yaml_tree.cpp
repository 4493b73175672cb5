#include "models/language/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <sstream>

namespace lmc {
namespace {

// More nodes than any model file has; aliases could otherwise multiply without end.
constexpr size_t kMaxNodes = 100000;
constexpr size_t kMaxDepth = 64;

size_t count_nodes(const YamlNode& n) {
  size_t total = 1;
  for (const YamlNode& i : n.items) total += count_nodes(i);
  for (const auto& [k, v] : n.entries) total += 1 + count_nodes(v);
  return total;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& text, const std::string& file) : file_(file) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

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
    nodes_ += count_nodes(it->second);
    if (nodes_ > kMaxNodes)
      throw Error(at(mark), "aliases make this file larger than " + std::to_string(kMaxNodes) + " values");
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
    const bool block = line < lines_.size() && column < lines_[line].size() &&
                       (lines_[line][column] == '|' || lines_[line][column] == '>');
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
    if (++nodes_ > kMaxNodes) throw Error(n.loc, "more than " + std::to_string(kMaxNodes) + " values");
    if (anchor != 0) anchors_[anchor] = n;
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

  std::string file_;
  std::vector<std::string> lines_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(const std::string& key) const {
  for (const auto& [k, v] : entries) {
    if (k.text == key) return &v;
  }
  return nullptr;
}

YamlNode parse_yaml(const std::string& text, const std::string& file) {
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
