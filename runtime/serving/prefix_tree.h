// What texts had in their caches, kept for others that begin alike: a radix tree over token ids, a page of
// positions an edge. Sequences get copies, so any page may be dropped at any time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <span>
#include <vector>

#include "runtime/serving/kv_pages.h"

namespace lmc {

// `beyond` everywhere: fed with the rope factors of a sequence beyond the border (Sequence::beyond). Such
// texts are kept apart.
class PrefixTree {
 public:
  explicit PrefixTree(const KvPages& pages) : pages_(pages) {}
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  // The longest kept beginning of `tokens` that a sequence can go on behind, page by page: valid until
  // something is added or dropped. It is then what was used last.
  std::vector<const KvPage*> find(std::span<const int32_t> tokens, bool beyond);

  // Shall the last page of `tokens`, which are whole pages, be added? Not if it is there, and not if a page
  // before it is missing. Those before it count as used.
  bool wants(std::span<const int32_t> tokens, bool beyond);
  // What is wanted.
  void add(std::span<const int32_t> tokens, bool beyond, KvPage page);

  // Every page, behind those before it.
  struct Kept {
    std::span<const int32_t> tokens;  // all, from the first of the text to the last of the page
    bool beyond;
    uint64_t used;  // when last: the higher the later
    const KvPage& page;
  };
  void for_each(const std::function<void(const Kept&)>& f) const;

  int64_t bytes() const { return bytes_; }
  // Drops what was not used for longest: a page's windowed part, or a page that no other follows. False if
  // there is none.
  bool drop();

 private:
  struct Node;
  using Children = std::map<std::vector<int32_t>, Node*>;  // by a page's tokens
  using Use = uint64_t;
  struct Node {
    Node* parent = nullptr;  // null: it is a first page
    Children::iterator self = {};
    bool beyond = false;
    KvPage page = {};
    Use used = 0, windows_used = 0;
    Children children = {};
    std::list<Node>::iterator place = {};           // in nodes_
    std::list<Node*>::iterator windows_place = {};  // in windows_, if page.windowed
  };

  Children& children(Node* node, bool beyond) { return node ? node->children : roots_[beyond ? 1 : 0]; }
  std::vector<Node*> walk(std::span<const int32_t> tokens, bool beyond);
  size_t usable(const std::vector<Node*>& nodes) const;
  void use(std::span<Node* const> nodes);
  Node* add_node(Node* parent, std::span<const int32_t> tokens, bool beyond,
                 std::unique_ptr<std::byte[]> lasting);
  void hold_windows(Node& node, std::unique_ptr<std::byte[]> windowed);
  void drop_windows(Node& node);

  const KvPages& pages_;
  std::array<Children, 2> roots_;
  // Both the last used first. A page is used whenever one behind it is, so the end of the first has no
  // children.
  std::list<Node> nodes_;
  std::list<Node*> windows_;
  int64_t bytes_ = 0;
  Use now_ = 0;
};

}  // namespace lmc
