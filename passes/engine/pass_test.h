// One test of passes as a file: which to run, a graph, and what is expected. tests/passes holds lmc's own,
// `lmc test` runs anybody's. passes/README.md describes the form.
#pragma once

#include <string>
#include <vector>

namespace lmc {

struct PassTestOptions {
  std::string folder;  // .lmpass files that tests name are looked for here
  bool bless = false;  // write what comes out as what is expected
};

// What is wrong, a line each: with the result, or with what holds for every pass (the result is sound, reads
// back, stays when the passes run again, and computes the same numbers if they are exact). Empty if nothing
// is. Passes named must be there already, but for those of .lmpass files. Error if the file is no test.
std::vector<std::string> run_pass_test(const std::string& path, const PassTestOptions& options);

}  // namespace lmc
