// lmc bench: how fast bundles prefill and decode, beside what the memory allows in the same run, and how fast
// they are served.
#include "tools/measure/bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/generate/ranks.h"
#include "tools/measure/bench/ab.h"
#include "tools/measure/bench/ablate.h"
#include "tools/measure/serving/serve_bench.h"
#include "tools/measure/serving/serve_flags.h"

namespace lmc::bench_command {
namespace {

struct Options {
  std::vector<std::string> bundles, ab;
  std::vector<int64_t> prompts = {128}, tokens = {32}, depths = {0}, at_once, sequences;
  std::vector<int> threads;  // empty: as many as the session takes
  int repetitions = 0;       // 0: 3, or 10 for --ab
  std::string format = "md", model, ablate, flags, first_token, scheduler = kUsualScheduler;
  EngineLoad load;
  ServeFlags serve;
};

std::vector<SpeedTest> tests_of(const Options& o) {
  std::vector<SpeedTest> out;
  for (int64_t p : o.prompts) {
    if (p > 0) out.push_back({SpeedTest::Kind::prefill, p, 0});
  }
  for (int64_t n : o.tokens) {
    for (int64_t d : o.depths) {
      if (n > 0) out.push_back({SpeedTest::Kind::decode, n, d});
    }
  }
  for (int64_t m : o.at_once) {
    for (int64_t d : o.depths) out.push_back({SpeedTest::Kind::verify, m, d});
  }
  for (int64_t s : o.sequences) {
    for (int64_t d : o.depths) out.push_back({SpeedTest::Kind::sequences, s, d});
  }
  if (out.empty()) throw UsageError("-p 0 and -n 0 leave nothing to measure");
  return out;
}

// What --ab and --ablate measure: one prefill, one decode and, if asked for, one number of sequences.
AbPlan one_of_each(const Options& o, const char* who) {
  const auto one = [&](const auto& list, const char* flag) {
    if (list.size() > 1) throw UsageError(fmt::format("{} takes one value of {}", who, flag));
    return list.empty() ? 0 : list[0];
  };
  if (!o.at_once.empty()) throw UsageError(fmt::format("{} measures -p, -n and -b, not -m", who));
  if (o.format == "csv") throw UsageError(fmt::format("{} prints text or JSON, not CSV", who));
  tests_of(o);
  AbPlan plan;
  plan.prompt = one(o.prompts, "-p");
  plan.tokens = one(o.tokens, "-n");
  plan.sequences = one(o.sequences, "-b");
  plan.depth = one(o.depths, "-d");
  plan.threads = one(o.threads, "-t");
  if (o.repetitions > 0) plan.rounds = o.repetitions;
  plan.scheduler = o.scheduler;
  plan.load = o.load;
  return plan;
}

void compare(const Options& o) {
  if (!o.bundles.empty()) {
    throw UsageError(
        fmt::format("--ab A B already names what to compare; '{}' is one too many", o.bundles[0]));
  }
  AbOptions options{{o.ab[0], o.ab[1]}, o.model, one_of_each(o, "--ab"), o.format == "json"};
  for (std::string& side : options.sides) {
    side.erase(0, std::min(side.find_first_not_of(' '), side.size()));  // see words_of
    if (o.model.empty() && side.starts_with("-"))
      throw UsageError(fmt::format("--ab: '{}' are flags; --model says what they compile", side));
  }
  run_ab(options);
}

void ablate(const Options& o) {
  if (!o.ab.empty()) throw UsageError("--ab and --ablate are two things");
  if (!o.bundles.empty() || !o.model.empty())
    throw UsageError("--ablate MODEL names what to compile: neither a bundle nor --model goes with it");
  if (!o.sequences.empty()) throw UsageError("--ablate measures -p and -n, not -b");
  run_ablate({o.ablate, o.flags, one_of_each(o, "--ablate"), o.format == "json"});
}

void serve(const Options& o) {
  if (!o.ab.empty() || !o.ablate.empty() || !o.model.empty())
    throw UsageError("--serve measures a server: neither --ab nor --ablate nor --model goes with it");
  if (!o.at_once.empty() || !o.sequences.empty() || o.depths != std::vector<int64_t>{0})
    throw UsageError("--serve measures requests (-p, -n, --requests), not -m, -b or -d");
  if (o.repetitions > 0) throw UsageError("--serve: --count says how many requests, not -r");
  if (o.format == "csv") throw UsageError("--serve prints text or JSON, not CSV");
  if (o.threads.size() > 1 || o.bundles.size() > 1) throw UsageError("--serve takes one bundle and one -t");
  const bool json = o.format == "json";
  const Traffic traffic = o.serve.traffic(o.prompts, o.tokens);
  if (!o.serve.url.empty()) {
    if (!o.bundles.empty() || !o.flags.empty() || !o.threads.empty())
      throw UsageError("--url: that server runs already: neither a bundle nor --flags nor -t goes with it");
    return bench_server(o.serve.target(), traffic, json);
  }
  if (!o.serve.key_file.empty()) throw UsageError("--api-key-file goes with --url");
  std::vector<std::string> flags;
  std::istringstream words(o.flags);
  for (std::string word; words >> word;) flags.push_back(word);
  // Nobody is refused unless that is asked for.
  if (std::find(flags.begin(), flags.end(), "--queue") == flags.end())
    flags.insert(flags.end(), {"--queue", std::to_string(traffic.clients)});
  if (!o.threads.empty()) flags.insert(flags.end(), {"-t", std::to_string(o.threads[0])});
  if (o.scheduler != kUsualScheduler) flags.insert(flags.end(), {"--scheduler", o.scheduler});
  bench_bundle_served(o.bundles.empty() ? newest_bundle() : o.bundles[0], flags, traffic, json);
}

// What rank 0 measures, on another one.
void follow(const std::vector<std::string>& bundles, const std::vector<int>& threads, const Options& o,
            Collective& ranks) {
  for (const std::string& b : bundles) {
    for (const int t : threads)
      Engine(b, {.threads = t, .scheduler = o.scheduler, .collective = &ranks}, o.load).follows();
  }
}

void run(const Options& o) {
  if (!o.first_token.empty()) return print_first_token(o.first_token, o.threads.empty() ? 0 : o.threads[0]);
  if (o.serve.wanted) return serve(o);
  o.serve.check_unused();
  if (!o.ablate.empty()) return ablate(o);
  if (!o.flags.empty()) throw UsageError("--flags goes with --ablate MODEL or --serve");
  if (!o.ab.empty()) return compare(o);
  if (!o.model.empty()) throw UsageError("--model goes with --ab \"FLAGS\" \"FLAGS\"");
  const std::vector<SpeedTest> tests = tests_of(o);
  const std::vector<std::string> bundles =
      o.bundles.empty() ? std::vector<std::string>{newest_bundle()} : o.bundles;
  const std::vector<int> threads = o.threads.empty() ? std::vector<int>{0} : o.threads;
  Collective* const ranks = ranks_of_this_run(*std::max_element(threads.begin(), threads.end()));
  if (ranks && ranks->rank() > 0) return follow(bundles, threads, o, *ranks);
  // Mistakes are told before minutes of measuring.
  for (const std::string& b : bundles) check_tests(b, Bundle(b).plan, tests);
  std::vector<BenchResult> results;
  for (const std::string& b : bundles) {
    for (int t : threads)
      results.push_back(
          bench(b, t, tests, o.repetitions > 0 ? o.repetitions : 3, o.scheduler, o.load, ranks));
  }
  fmt::print("{}", bench_text(results, o.format));
}

const RegisterCommand kBench(
    {"bench", "measure bundles' speed beside the memory's", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("bundles", o->bundles, "the bundles; the newest *.lmc here if left out")
           .type_name("BUNDLE");
       add_trust_flag(flags);
       const auto list = [&](const char* names, auto& values, const char* doc, int64_t least, int64_t most) {
         flags.option(names, values, doc).comma_separated().one_value_each().range(least, most);
       };
       constexpr int64_t kMost = int64_t{1} << 30;
       list("-p,--prompt-tokens", o->prompts, "tokens to prefill: 128,512; 0 = no such test (default: 128)",
            0, kMost);
       list("-n,--tokens", o->tokens, "tokens to decode; 0 = no such test (default: 32)", 0, kMost);
       list("-m,--at-once", o->at_once, "tokens fed at once, with the logits of each: 2,4,8", 1, kMost);
       list("-b,--sequences", o->sequences,
            "sequences decoded at once, a token of each in a step, each with a KV cache of its own: 1,2,4,8",
            1, kMost);
       list("-d,--depth", o->depths, "positions before them: 0,512 (default: 0)", 0, kMost);
       list("-t,--threads", o->threads, "threads: 1,2 (default: physical cores)", 1, 1024);
       add_scheduler_flag(flags, o->scheduler);
       flags
           .option("-r,--repetitions", o->repetitions,
                   "of every test (default: 3; rounds of --ab and --ablate: 10)")
           .range(1, 1000);
       flags.option("-o,--output", o->format, "md, csv or json")
           .one_of({"md", "csv", "json"})
           .shows_default();
       flags.flag(
           "--json", [o] { o->format = "json"; }, "the same as -o json");
       flags.option("--ab", o->ab, "compare two bundles, or two strings of compile flags, in turn")
           .type_name("A B")
           .values(2);
       flags.option("--model", o->model, "the model file that --ab's flags compile").type_name("MODEL");
       flags.option("--ablate", o->ablate, "what each pass is worth: this model without each in turn")
           .type_name("MODEL");
       flags.option("--flags", o->flags,
                    "flags of lmc compile for --ablate: \"--weights random\"; of lmc serve for --serve");
       add_serve_flags(flags, o->serve);
       flags.option("--first-token", o->first_token).hidden();  // lmc calls itself with this
       add_load_flags(flags, o->load);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::bench_command
