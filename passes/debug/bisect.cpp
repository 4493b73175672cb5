#include "passes/debug/bisect.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/text.h"
#include "passes/engine/lowering.h"

namespace lmc {
namespace {

// A pass at its place in the pipeline.
struct Stage {
  const Pass* pass;
  std::string step;  // of the passes that lower a step: "decode" or "prefill"
  int64_t number;    // from 1
};

// Stages run one behind the other, once, with the graph after every one.
struct Trace {
  std::vector<Stage> stages;
  std::vector<std::string> texts;     // texts[i]: after the first i stages
  std::vector<int64_t> applications;  // of stage i
  std::string failure;                // of the stage behind the last text, if one failed

  // Stages [0, n) ran; the one behind them failed if there is a failure.
  size_t ran() const { return texts.size() - 1; }
};

// One pass over one text, as the manager runs it.
struct Run {
  std::string text;  // "" if the pass failed
  int64_t applications = 0;
  std::string failure;
};

constexpr int64_t kBlock = 16;  // tokens of the steps that are lowered

std::vector<const Pass*> passes_of(PassOptions options, PassPhase phase) {
  options.phase = phase;
  return pipeline(options);
}

// Not a part of one, or a graph with inputs of its own, which no step could be made of.
bool is_model_of_a_step(const Graph& g) {
  const std::set<std::string> known = {"tokens", "pos", "out_rows", "length"};
  const std::vector<ValueId> inputs = g.inputs();
  return g.find_input("tokens").valid() && g.find_input("out_rows").valid() &&
         std::all_of(inputs.begin(), inputs.end(),
                     [&](ValueId v) { return is_kv(g.type(v).dtype) || known.contains(g.value(v).name); });
}

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
    add_stages(pipeline(options), "");
    trace_.texts.push_back(print_graph(imported));
    if (!test_) gate_.emplace(imported, options.weights);
    if (!test_ && !options.only && is_model_of_a_step(imported)) {
      add_stages(passes_of(options_, PassPhase::lower_model), "");
      in_model_ = trace_.stages.size();
      add_stages(passes_of(options_, PassPhase::lower_step), "decode");
    }
    passes_ = static_cast<int64_t>(trace_.stages.size());
  }

  BisectResult run() {
    run_stages(trace_);
    std::optional<size_t> bad = test_ ? first_bad_by_test() : first_bad_by_numbers();
    if (!bad && in_model_ > 0) {
      go_on_with_blocks();
      bad = first_bad_by_numbers();
    }
    if (!bad)
      throw Error("the check holds after each of the " + std::to_string(passes_) +
                  " passes: there is nothing to find");
    const Stage& stage = trace_.stages[*bad];
    BisectResult r;
    r.pass = stage.pass->name();
    r.step = stage.step;
    r.settings = options_for(stage).settings[r.pass];
    r.pass_number = stage.number;
    r.passes = passes_;
    r.start = trace_.texts[*bad];
    find_application(*bad, r);
    r.checks = test_ ? checks_ : gate_->evaluations();
    return r;
  }

 private:
  void add_stages(const std::vector<const Pass*>& passes, const std::string& step) {
    for (const Pass* p : passes)
      trace_.stages.push_back({p, step, static_cast<int64_t>(trace_.stages.size()) + 1});
  }

  // The other step begins where the first one did.
  void go_on_with_blocks() {
    Trace blocks;
    for (size_t i = in_model_; i < trace_.stages.size(); ++i) {
      blocks.stages.push_back(trace_.stages[i]);
      blocks.stages.back().step = "prefill";
    }
    blocks.texts.push_back(trace_.texts[in_model_]);
    trace_ = std::move(blocks);
    run_stages(trace_);
  }

  void run_stages(Trace& t) const {
    for (const Stage& stage : t.stages) {
      Run r = run_pass(stage, t.texts.back(), INT64_MAX);
      if (!r.failure.empty()) {
        t.failure = r.failure;
        return;
      }
      t.texts.push_back(std::move(r.text));
      t.applications.push_back(r.applications);
    }
  }

  PassOptions options_for(const Stage& stage) const {
    PassOptions o = options_;
    if (!stage.step.empty()) set_step(o, stage.step, stage.step == "decode" ? 1 : kBlock);
    return o;
  }

  Run run_pass(const Stage& stage, const std::string& text, int64_t limit) const {
    PassOptions o = options_for(stage);
    o.only = std::vector<std::string>{stage.pass->name()};
    o.limit = limit;
    Graph g = parse_graph(text);
    try {
      const std::vector<PassReport> reports = run_passes(g, o);
      return {print_graph(g), reports.at(0).applications, ""};
    } catch (const PassFailure& e) {
      return {"", 0, e.reason};
    }
  }

  std::optional<size_t> first_bad_by_test() {
    if (const std::string wrong = test_graph(0); !wrong.empty())
      throw Error("the check fails for the graph as imported, before any pass: " + wrong);
    if (trace_.ran() > 0 && !test_graph(trace_.ran()).empty())
      return halve(size_t{0}, trace_.ran(), [&](size_t i) { return !test_graph(i).empty(); }) - 1;
    return failed();
  }

  std::optional<size_t> failed() const {
    return trace_.failure.empty() ? std::nullopt : std::optional(trace_.ran());
  }

  std::string test_graph(size_t i) {
    const std::string wrong = judged(trace_.texts[i], [&](const Graph& g) { return test_(g); });
    progress_("after " + std::to_string(i) + " of " + std::to_string(passes_) +
              " passes: " + (wrong.empty() ? "good" : wrong));
    return wrong;
  }

  // Exact passes in a row are compared as one and searched by halves; one that is not exact has its own
  // budget, and hides smaller errors, so nothing is compared across it. Nor across the border of a step,
  // behind which there may be fewer scenes to compare.
  std::optional<size_t> first_bad_by_numbers() {
    const std::vector<Stage>& stages = trace_.stages;
    for (size_t start = 0; start < trace_.ran();) {
      size_t end = start + 1;
      while (stages[start].pass->exact() && end < trace_.ran() && stages[end].pass->exact() &&
             stages[end].step == stages[start].step)
        ++end;
      if (!wrong_between(start, end).empty())
        return halve(start, end, [&](size_t i) { return !wrong_between(start, i).empty(); }) - 1;
      start = end;
    }
    return failed();
  }

  std::string wrong_between(size_t from, size_t to) {
    const Stage& last = trace_.stages[to - 1];
    const std::string wrong = wrong_numbers(*last.pass, trace_.texts[from], trace_.texts[to]);
    progress_((last.step.empty() ? "" : last.step + ": ") + "passes " +
              std::to_string(trace_.stages[from].number) + " to " + std::to_string(last.number) + ": " +
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
    const Stage& stage = trace_.stages[bad];
    const Pass& pass = *stage.pass;
    std::map<int64_t, std::pair<Run, std::string>> tried;  // by limit, with what is wrong
    const auto wrong_with = [&](int64_t limit) {
      if (const auto known = tried.find(limit); known != tried.end()) return known->second.second;
      Run run = run_pass(stage, r.start, limit);
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
    // Verified at both ends: a pass that ignores its limit fails with none allowed, too. One that applies all
    // or nothing fails as a whole.
    const auto all_at_once = [&] {
      return most > 1 && !wrong_with(1).empty() && tried.at(1).first.text == tried.at(most).first.text;
    };
    if (most < 1 || !wrong_with(0).empty() || wrong_with(most).empty() || all_at_once()) {
      r.before = r.start;
      const Run all = run_pass(stage, r.start, INT64_MAX);
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
    const Run again = run_pass(stage, r.before, 1);
    r.alone = !again.failure.empty() ||
              !(test_ ? judged(again.text, test_) : wrong_numbers(pass, r.before, again.text)).empty();
  }

  PassOptions options_;
  GraphTest test_;
  std::function<void(const std::string&)> progress_;
  Trace trace_;
  size_t in_model_ = 0;  // stages before those of the steps; 0: steps are not looked at
  int64_t passes_ = 0;   // of the pipeline
  std::optional<NumericGate> gate_;
  int64_t checks_ = 0;
};

}  // namespace

BisectResult bisect(const Graph& imported, const PassOptions& options, const GraphTest& test,
                    const std::function<void(const std::string&)>& progress) {
  return Bisector(imported, options, test, progress).run();
}

}  // namespace lmc
