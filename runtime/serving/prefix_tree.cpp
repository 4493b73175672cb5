#include "runtime/serving/prefix_tree.h"

#include <algorithm>
#include <utility>

namespace lmc {
namespace {

constexpr auto kPage = static_cast<size_t>(kCachePage);

std::vector<int32_t> page_of(std::span<const int32_t> tokens, size_t page) {
  const auto at = tokens.subspan(page * kPage, kPage);
  return {at.begin(), at.end()};
}

}  // namespace

std::vector<PrefixTree::Node*> PrefixTree::walk(std::span<const int32_t> tokens, bool beyond) const {
  std::vector<Node*> out;
  for (size_t i = 0; (i + 1) * kPage <= tokens.size(); ++i) {
    const Children& next = out.empty() ? roots_[beyond ? 1 : 0] : out.back()->children;
    const auto it = next.find(page_of(tokens, i));
    if (it == next.end()) break;
    out.push_back(it->second);
  }
  return out;
}

// How many of them a sequence can go on behind: of the last ones, windows see all.
size_t PrefixTree::usable(const std::vector<Node*>& nodes) const {
  const auto seen = static_cast<size_t>(pages_.seen_pages());
  size_t count = nodes.size();
  for (size_t i = count; i > 0 && i + seen > count; --i) {
    if (!nodes[i - 1]->page.windowed) count = i - 1;
  }
  return count;
}

size_t PrefixTree::count(std::span<const int32_t> tokens, bool beyond) const {
  return usable(walk(tokens, beyond));
}

std::vector<PrefixTree::Found> PrefixTree::find(std::span<const int32_t> tokens, bool beyond) {
  std::vector<Node*> nodes = walk(tokens, beyond);
  nodes.resize(usable(nodes));
  use(nodes);
  const size_t seen = std::min(nodes.size(), static_cast<size_t>(pages_.seen_pages()));
  for (Node* node : std::span(nodes).last(seen)) {
    node->windows_used = now_;
    windows_.splice(windows_.begin(), windows_, node->windows_place);
  }
  std::vector<Found> out;
  for (Node* node : nodes) out.push_back({&node->page, lend(*node)});
  return out;
}

std::shared_ptr<std::byte[]> PrefixTree::lasting(std::span<const int32_t> tokens, bool beyond) {
  const std::vector<Node*> nodes = walk(tokens, beyond);
  return nodes.size() * kPage == tokens.size() ? lend(*nodes.back()) : nullptr;
}

// One handle for all who have it, so that it is in use until the last of them is gone.
std::shared_ptr<std::byte[]> PrefixTree::lend(Node& node) {
  if (std::shared_ptr<std::byte[]> lent = node.lent.lock()) return lent;
  const int64_t bytes = pages_.lasting_bytes();
  const auto give_back = [kept = node.page.lasting, in_use = bytes_in_use_, bytes](std::byte*) {
    *in_use -= bytes;
  };
  *bytes_in_use_ += bytes;  // first: where there is no memory for the handle, it is given back at once
  std::shared_ptr<std::byte[]> lent(node.page.lasting.get(), give_back);
  node.lent = lent;
  return lent;
}

void PrefixTree::use(std::span<Node* const> nodes) {
  ++now_;
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    (*it)->used = now_;
    nodes_.splice(nodes_.begin(), nodes_, (*it)->place);
  }
}

bool PrefixTree::wants(std::span<const int32_t> tokens, bool beyond) {
  const std::vector<Node*> nodes = walk(tokens, beyond);
  use(nodes);
  const size_t pages = tokens.size() / kPage;
  return nodes.size() + 1 == pages || (nodes.size() == pages && !nodes.back()->page.windowed);
}

void PrefixTree::add(std::span<const int32_t> tokens, bool beyond, KvPage page) {
  const size_t last = tokens.size() / kPage - 1;
  const std::vector<Node*> nodes = walk(tokens, beyond);
  if (nodes.size() < last) return;
  Node* node = nodes.size() > last ? nodes[last]
                                   : add_node(nodes.empty() ? nullptr : nodes.back(), tokens, beyond,
                                              std::move(page.lasting));
  if (!node->page.windowed && page.windowed) hold_windows(*node, std::move(page.windowed));
  use(walk(tokens, beyond));
}

// There may be no memory: then nothing has happened.
PrefixTree::Node* PrefixTree::add_node(Node* parent, std::span<const int32_t> tokens, bool beyond,
                                       std::shared_ptr<std::byte[]> lasting) {
  std::list<Node> made;
  Node* node = &made.emplace_front();
  node->parent = parent;
  node->beyond = beyond;
  node->page.lasting = std::move(lasting);
  node->self = children(parent, beyond).emplace(page_of(tokens, tokens.size() / kPage - 1), node).first;
  node->place = made.begin();
  nodes_.splice(nodes_.end(), made);  // behind the pages before it
  bytes_ += pages_.lasting_bytes();
  return node;
}

void PrefixTree::for_each(const std::function<void(const Kept&)>& f) const {
  for (const Children& root : roots_) {
    std::vector<int32_t> tokens;
    // Where each page of the path has got to with the pages behind it; depth has no bound but the context.
    std::vector<std::pair<const Children*, Children::const_iterator>> path = {{&root, root.begin()}};
    while (!path.empty()) {
      auto& [pages, at] = path.back();
      if (at == pages->end()) {
        path.pop_back();
        if (!path.empty()) tokens.resize(tokens.size() - kPage);
        continue;
      }
      const auto& [of_page, node] = *at++;
      tokens.insert(tokens.end(), of_page.begin(), of_page.end());
      f({tokens, node->beyond, node->used, node->page});
      path.emplace_back(&node->children, node->children.begin());
    }
  }
}

void PrefixTree::hold_windows(Node& node, std::unique_ptr<std::byte[]> windowed) {
  windows_.push_front(&node);
  node.windows_place = windows_.begin();
  node.windows_used = now_;
  node.page.windowed = std::move(windowed);
  bytes_ += pages_.windowed_bytes();
}

void PrefixTree::drop_windows(Node& node) {
  windows_.erase(node.windows_place);
  node.page.windowed.reset();
  bytes_ -= pages_.windowed_bytes();
}

// Few are in use at the end: whoever has a page uses it now and then, as pages behind it come.
std::list<PrefixTree::Node>::iterator PrefixTree::last_to_drop() {
  const auto it = std::find_if(nodes_.rbegin(), nodes_.rend(),
                               [](const Node& n) { return n.children.empty() && n.lent.expired(); });
  return it == nodes_.rend() ? nodes_.end() : std::prev(it.base());
}

bool PrefixTree::drop() {
  const auto last = last_to_drop();
  const bool none = last == nodes_.end();
  const bool windows = pages_.windowed_bytes() > 0 && !windows_.empty();
  if (windows && (none || windows_.back()->windows_used <= last->used)) {
    drop_windows(*windows_.back());
    return true;
  }
  if (none) return false;
  if (last->page.windowed) drop_windows(*last);
  children(last->parent, last->beyond).erase(last->self);
  nodes_.erase(last);
  bytes_ -= pages_.lasting_bytes();
  return true;
}

}  // namespace lmc
