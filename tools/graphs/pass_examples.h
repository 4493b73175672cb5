// The graphs of tests/passes, compiled in: what `lmc passes --explain` shows passes on.
#pragma once

#include <string>
#include <vector>

namespace lmc {

struct PassExample {
  std::string name;  // fuse_qkv_biased
  std::string text;  // a `// RUN:` line and a graph
};
std::vector<PassExample> pass_examples();  // by name

}  // namespace lmc
