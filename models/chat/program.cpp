#include "models/chat/program.h"

namespace lmc::chat {
namespace {

constexpr int kDeepestRun = 400;
constexpr uint64_t kMostSteps = 2'000'000;
thread_local Run* running = nullptr;

}  // namespace

void charge(size_t steps) {
  if (running) running->step(steps);
}

Run::Run()
    : steps_(kMostSteps, "the template takes too many steps; does it come to an end?"), outer_(running) {
  running = this;
}

Run::~Run() {
  running = outer_;
  for (const Value& v : kept_) {
    if (v.is_list()) v.items().clear();
    if (v.is_dict()) v.entries().clear();
  }
}

void Run::step(size_t cost) { steps_.take(cost); }

Value Run::seen(Value v) {
  const void* made = v.is_list()   ? static_cast<const void*>(&v.items())
                     : v.is_dict() ? static_cast<const void*>(&v.entries())
                                   : nullptr;
  if (made && known_.insert(made).second) {
    step();
    kept_.push_back(v);
  }
  return v;
}

Run::Nested::Nested(Run& run) : run_(run) {
  if (run.depth_ == kDeepestRun) throw Error("the template is nested or calls its macros too deep");
  ++run.depth_;
}

const Value* Scope::find(const std::string& name) const {
  for (const Scope* s = this; s; s = s->outer) {
    if (const auto it = s->names.find(name); it != s->names.end()) return &it->second;
  }
  return nullptr;
}

}  // namespace lmc::chat
