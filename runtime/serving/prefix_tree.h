// What texts have in their caches, kept for others that begin alike: a radix tree over token ids, a page of
// positions an edge. Sequences share the lasting part of a page, which stays as long as one does, and get
// copies of its windowed part, which may be dropped at any time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
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
  struct Found {
    const KvPage* page;
    std::shared_ptr<std::byte[]> lasting;  // page->lasting; in use while somebody has it
  };
  std::vector<Found> find(std::span<const int32_t> tokens, bool beyond);
  // How many pages find() would find.
  size_t count(std::span<const int32_t> tokens, bool beyond) const;
  // The lasting part of the last page of `tokens`, which are whole pages; null if it is not kept.
  std::shared_ptr<std::byte[]> lasting(std::span<const int32_t> tokens, bool beyond);

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
  // Of these, lasting parts that somebody has.
  int64_t bytes_in_use() const { return *bytes_in_use_; }
  // Drops what was not used for longest: a page's windowed part, or a page that no other follows and nobody
  // has. False if there is none.
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
    std::weak_ptr<std::byte[]> lent = {};  // page.lasting, as others have it
    Use used = 0, windows_used = 0;
    Children children = {};
    std::list<Node>::iterator place = {};           // in nodes_
    std::list<Node*>::iterator windows_place = {};  // in windows_, if page.windowed
  };

  Children& children(Node* node, bool beyond) { return node ? node->children : roots_[beyond ? 1 : 0]; }
  std::vector<Node*> walk(std::span<const int32_t> tokens, bool beyond) const;
  std::shared_ptr<std::byte[]> lend(Node& node);
  std::list<Node>::iterator last_to_drop();
  size_t usable(const std::vector<Node*>& nodes) const;
  void use(std::span<Node* const> nodes);
  Node* add_node(Node* parent, std::span<const int32_t> tokens, bool beyond,
                 std::shared_ptr<std::byte[]> lasting);
  void hold_windows(Node& node, std::unique_ptr<std::byte[]> windowed);
  void drop_windows(Node& node);

  const KvPages& pages_;
  std::array<Children, 2> roots_;
  // Both the last used first. A page is used whenever one behind it is.
  std::list<Node> nodes_;
  std::list<Node*> windows_;
  int64_t bytes_ = 0;
  std::shared_ptr<int64_t> bytes_in_use_ =
      std::make_shared<int64_t>(0);  // who has a part may outlive the tree
  Use now_ = 0;
};

}  // namespace lmc
