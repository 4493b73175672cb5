#include "models/chat/program.h"

namespace lmc::chat {
namespace {

constexpr int kDeepestRun = 400;
constexpr size_t kBytesPerStep = 64;

}  // namespace

Run::~Run() {
  for (const Value& v : kept_) {
    if (v.is_list()) v.items().clear();
    if (v.is_dict()) v.entries().clear();
  }
}

void Run::step(size_t cost) {
  if (cost > left_) throw Error("the template takes too many steps; does it come to an end?");
  left_ -= cost;
}

Value Run::seen(Value v) {
  const void* made = v.is_list()   ? static_cast<const void*>(&v.items())
                     : v.is_dict() ? static_cast<const void*>(&v.entries())
                                   : nullptr;
  if (v.is_text()) step(walking_cost(v));
  if (made && known_.insert(made).second) {
    kept_.push_back(v);
    step(walking_cost(v));
  }
  return v;
}

Run::Nested::Nested(Run& run) : run_(run) {
  if (run.depth_ == kDeepestRun) throw Error("the template is nested or calls its macros too deep");
  ++run.depth_;
}

size_t walking_cost(const Value& v) {
  if (v.is_text()) return 1 + v.text().size() / kBytesPerStep;
  if (v.is_list()) return 1 + v.items().size();
  return v.is_dict() ? 1 + v.entries().size() : 1;
}

const Value* Scope::find(const std::string& name) const {
  for (const Scope* s = this; s; s = s->outer) {
    if (const auto it = s->names.find(name); it != s->names.end()) return &it->second;
  }
  return nullptr;
}

}  // namespace lmc::chat
