#include "passes/bisect.h"

#include <algorithm>
#include <map>

#include "ir/text.h"

namespace lmc {
namespace {

// The pipeline, run once, with the graph after every pass.
struct Trace {
  std::vector<const Pass*> passes;
  std::vector<std::string> texts;     // texts[i]: after the first i passes
  std::vector<int64_t> applications;  // of pass i
  std::string failure;                // of the pass behind the last text, if one failed
};

// One pass over one text, as the manager runs it.
struct Run {
  std::string text;  // "" if the pass failed
  int64_t applications = 0;
  std::string failure;
};

class Bisector {
 public:
  Bisector(const Graph& imported, const PassOptions& options, const GraphTest& test,
           const std::function<void(const std::string&)>& progress)
      : options_(options), test_(test), progress_(progress) {
    options_.check = false;  // checked here, where it is needed
    options_.repro_path.clear();
    options_.dump_dir.clear();
    options_.print_to = nullptr;
    options_.after_pass = nullptr;
    options_.limit = INT64_MAX;
    options_.price = nullptr;  // one pass at a time: there is nothing to decide
    trace_.passes = pipeline(options);
    trace_.texts.push_back(print_graph(imported));
    if (!test_) gate_.emplace(imported, options.weights);
  }

  BisectResult run() {
    run_pipeline();
    const size_t bad = test_ ? first_bad_by_test() : first_bad_by_numbers();
    BisectResult r;
    r.pass = trace_.passes[bad]->name();
    r.pass_number = static_cast<int64_t>(bad) + 1;
    r.passes = static_cast<int64_t>(trace_.passes.size());
    r.start = trace_.texts[bad];
    find_application(bad, r);
    r.checks = test_ ? checks_ : gate_->evaluations();
    return r;
  }

 private:
  void run_pipeline() {
    for (const Pass* pass : trace_.passes) {
      Run r = run_pass(*pass, trace_.texts.back(), INT64_MAX);
      if (!r.failure.empty()) {
        trace_.failure = r.failure;
        return;
      }
      trace_.texts.push_back(std::move(r.text));
      trace_.applications.push_back(r.applications);
    }
  }

  Run run_pass(const Pass& pass, const std::string& text, int64_t limit) const {
    PassOptions o = options_;
    o.only = std::vector<std::string>{pass.name()};
    o.limit = limit;
    Graph g = parse_graph(text);
    try {
      const std::vector<PassReport> reports = run_passes(g, o);
      return {print_graph(g), reports.at(0).applications, ""};
    } catch (const PassFailure& e) {
      return {"", 0, e.reason};
    }
  }

  // Passes [0, n) ran; the pass behind them failed if there is a failure.
  size_t ran() const { return trace_.texts.size() - 1; }

  [[noreturn]] void nothing_wrong() const {
    throw Error("the check holds after each of the " + std::to_string(trace_.passes.size()) +
                " passes: there is nothing to find");
  }

  size_t first_bad_by_test() {
    if (const std::string wrong = test_graph(0); !wrong.empty())
      throw Error("the check fails for the graph as imported, before any pass: " + wrong);
    if (ran() > 0 && !test_graph(ran()).empty())
      return halve(size_t{0}, ran(), [&](size_t i) { return !test_graph(i).empty(); }) - 1;
    if (trace_.failure.empty()) nothing_wrong();
    return ran();
  }

  std::string test_graph(size_t i) {
    const std::string wrong = judged(trace_.texts[i], [&](const Graph& g) { return test_(g); });
    progress_("after " + std::to_string(i) + " of " + std::to_string(trace_.passes.size()) +
              " passes: " + (wrong.empty() ? "good" : wrong));
    return wrong;
  }

  // Exact passes in a row are compared as one and searched by halves; one that is not exact has its own
  // budget, and hides smaller errors, so nothing is compared across it.
  size_t first_bad_by_numbers() {
    for (size_t start = 0; start < ran();) {
      size_t end = start + 1;
      while (trace_.passes[start]->exact() && end < ran() && trace_.passes[end]->exact()) ++end;
      if (!wrong_between(start, end).empty())
        return halve(start, end, [&](size_t i) { return !wrong_between(start, i).empty(); }) - 1;
      start = end;
    }
    if (trace_.failure.empty()) nothing_wrong();
    return ran();
  }

  std::string wrong_between(size_t from, size_t to) {
    const std::string wrong = wrong_numbers(*trace_.passes[to - 1], trace_.texts[from], trace_.texts[to]);
    progress_("passes " + std::to_string(from + 1) + " to " + std::to_string(to) + ": " +
              (wrong.empty() ? "good" : wrong));
    return wrong;
  }

  std::string wrong_numbers(const Pass& pass, const std::string& before, const std::string& after) {
    if (before == after) return "";
    try {
      const bool caches = caches_count(pass, options_.budget);
      for (const CheckResult& c : gate_->compare(parse_graph(before), parse_graph(after), caches)) {
        if (const std::string wrong = judge(pass, options_.budget, c); !wrong.empty())
          return wrong + " (" + c.str() + ")";
      }
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  std::string judged(const std::string& text, const GraphTest& test) {
    ++checks_;
    return test(parse_graph(text));
  }

  // The first of (good, bad] that is bad, given that `good` is not and `bad` is.
  template <class N, class Bad>
  static N halve(N good, N bad, const Bad& is_bad) {
    while (bad - good > 1) {
      const N middle = good + (bad - good) / 2;
      (is_bad(middle) ? bad : good) = middle;
    }
    return bad;
  }

  void find_application(size_t bad, BisectResult& r) {
    const Pass& pass = *trace_.passes[bad];
    std::map<int64_t, std::pair<Run, std::string>> tried;  // by limit, with what is wrong
    const auto wrong_with = [&](int64_t limit) {
      if (const auto known = tried.find(limit); known != tried.end()) return known->second.second;
      Run run = run_pass(pass, r.start, limit);
      std::string wrong = run.failure;
      if (wrong.empty()) wrong = test_ ? judged(run.text, test_) : wrong_numbers(pass, r.start, run.text);
      progress_(r.pass + " with " + std::to_string(limit) +
                " applications: " + (wrong.empty() ? "good" : wrong));
      tried[limit] = {std::move(run), wrong};
      return wrong;
    };
    int64_t most = 1;
    if (bad < trace_.applications.size()) {
      r.applications = most = trace_.applications[bad];
    } else {  // it throws before it can say how many it would make
      while (most < (int64_t{1} << 40) && wrong_with(most).empty()) most *= 2;
    }
    // Verified at both ends: a pass that ignores its limit fails with none allowed, too.
    if (most < 1 || !wrong_with(0).empty() || wrong_with(most).empty()) {
      r.before = r.start;
      const Run all = run_pass(pass, r.start, INT64_MAX);
      r.after = all.text;
      r.wrong = !all.failure.empty() ? all.failure
                : test_              ? judged(all.text, test_)
                                     : wrong_numbers(pass, r.start, all.text);
      return;
    }
    r.application = halve(int64_t{0}, most, [&](int64_t k) { return !wrong_with(k).empty(); });
    r.wrong = wrong_with(r.application);
    wrong_with(r.application - 1);
    r.before = tried.at(r.application - 1).first.text;
    r.after = tried.at(r.application).first.text;
    const Run again = run_pass(pass, r.before, 1);
    r.alone = !again.failure.empty() ||
              !(test_ ? judged(again.text, test_) : wrong_numbers(pass, r.before, again.text)).empty();
  }

  PassOptions options_;
  GraphTest test_;
  std::function<void(const std::string&)> progress_;
  Trace trace_;
  std::optional<NumericGate> gate_;
  int64_t checks_ = 0;
};

}  // namespace

BisectResult bisect(const Graph& imported, const PassOptions& options, const GraphTest& test,
                    const std::function<void(const std::string&)>& progress) {
  return Bisector(imported, options, test, progress).run();
}

}  // namespace lmc
