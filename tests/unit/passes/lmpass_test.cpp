// Passes as text files: that they are the same passes, and what a mistake in one says.
#include "passes/pattern/lmpass.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/text.h"
#include "passes/engine/manager.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string pass_error(const std::string& text) {
  return error_of([&] { parse_lmpass(text, "mine.lmpass"); });
}

std::string load_error(const std::string& text, const std::string& name = "mine.lmpass") {
  const std::string path = temporary(name);
  std::ofstream(path) << text;
  try {
    load_pass_files({path});
  } catch (const Error& e) {
    std::string what = e.what();
    return what.substr(what.find(name));
  }
  return "";
}

const char* const kGood = R"(// A comment.
pass mine-2nd "joins \"two\" ops"
after canonicalise, fuse-qkv
before quantize
summary "joined {} pairs"
approximate
setting how = well | badly "how it is done"

match {
  // The first.
  %a = silu(%x)
    %y = tanh(%a)
}
variant plain
when "it is done well": setting(how) == well and
  one_use(%a)
rewrite { %y = relu(%x) }

match { %y = tanh(%x) }
group "label"

example
graph @g (%x: f32[T,4]) {
  %a = silu(%x)
  %y = tanh(%a)
  return %y
}
)";

TEST(Lmpass, every_part_is_read) {
  const FusionSpec s = parse_lmpass(kGood, "mine.lmpass").at(0);
  EXPECT_EQ(s.name, "mine-2nd");
  EXPECT_EQ(s.doc, "joins \"two\" ops");
  EXPECT_EQ(s.summary, "joined {} pairs");
  EXPECT_FALSE(s.exact);
  ASSERT_EQ(s.after.size(), 2u);
  EXPECT_EQ(s.after[1].text, "fuse-qkv");
  EXPECT_EQ(s.after[1].at.str(), "mine.lmpass:3:21");
  ASSERT_EQ(s.alternatives.size(), 2u);
  EXPECT_EQ(s.alternatives[0].variant, "plain");
  EXPECT_EQ(s.alternatives[0].guards[0].condition.text, "setting(how) == well and\n  one_use(%a)");
  EXPECT_TRUE(s.alternatives[1].group);
  EXPECT_EQ(s.alternatives[1].label, "label");
  Graph g = parse_graph(s.example);
  PassContext context;
  EXPECT_TRUE(make_fusion(s)->run(g, context));
  EXPECT_EQ(context.summary, "joined 1 pairs");
}

TEST(Lmpass, printing_and_reading_again_is_the_same_pass) {
  const FusionSpec once = parse_lmpass(kGood, "mine.lmpass").at(0);
  const std::string text = lmpass_text(once);
  EXPECT_EQ(lmpass_text(parse_lmpass(text, "again.lmpass").at(0)), text);
  EXPECT_NE(text.find("match {\n  %a = silu(%x)\n"), std::string::npos) << text;
}

TEST(Lmpass, every_mistake_names_its_line_and_column) {
  const std::string head = "pass mine \"doc\"\n";
  const auto body = [&](const std::string& rest) { return pass_error(head + rest); };
  EXPECT_EQ(pass_error(""),
            "mine.lmpass:1:1: expected 'pass NAME \"what it does\"' at the start, found the end of the text");
  EXPECT_EQ(pass_error("pass mine"),
            "mine.lmpass:1:10: expected what the pass does, in quotes, found the end of the text");
  EXPECT_EQ(pass_error(head), "mine.lmpass:1:6: pass mine has no match");
  EXPECT_EQ(body("match { %y = siluu(%x) }\ngroup"),
            "mine.lmpass:2:9: unknown op 'siluu'; did you mean silu?");
  EXPECT_EQ(body("match {\n  %y = silu(%x)\n  %z = tanh(%y, %x)\n}\ngroup"),
            "mine.lmpass:4:3: tanh takes 1 operands, the text gives 2");
  EXPECT_EQ(body("match { %y = silu(%x) }\n"), "mine.lmpass:2:9: this match has neither rewrite nor group");
  EXPECT_EQ(body("match { }\ngroup"), "mine.lmpass:2:9: the pattern is empty");
  EXPECT_EQ(body("match { %y = silu(%x)\n"), "mine.lmpass:2:7: this brace is not closed");
  EXPECT_EQ(body("match { %y = silu(%x) }\nwhen \"no\": rows(%z) == 1\ngroup"),
            "mine.lmpass:3:17: %z is no value of the pattern");
  EXPECT_EQ(body("match { %y = silu(%x) }\nrewrite { %y = relu(%z) }"),
            "mine.lmpass:3:21: %z is not defined");
  EXPECT_EQ(body("match { %y = silu(%x) }\nrewrite {\n%y = relu(%x) {by=1} }"),
            "mine.lmpass:4:16: relu has no attribute 'by'");
  EXPECT_EQ(body("match { %y = silu(%x) }\ngroup\nrewrite { %y = relu(%x) }"),
            "mine.lmpass:4:1: what takes the match's place is given twice");
  EXPECT_EQ(body("group"), "mine.lmpass:2:1: this belongs behind a match");
  EXPECT_EQ(body("colour red"),
            "mine.lmpass:2:1: expected after, before, rival, summary, setting, approximate, example, "
            "match, variant, when, rewrite, group or another pass, found 'colour'");
  EXPECT_EQ(
      body(
          "match { %y = silu(%x) } group example graph @g (%x: f32[T,4]) {\n  %y = silo(%x)\n  return %y\n}"),
      "mine.lmpass:3:3: unknown op 'silo'; did you mean silu?");
}

TEST(Lmpass, cut_anywhere_it_is_refused_or_whole_but_never_a_crash) {
  const std::string good = kGood;
  for (size_t n = 0; n < good.size(); ++n) pass_error(good.substr(0, n));
  for (size_t n = 0; n < good.size(); ++n) {
    for (const char c : {'\0', '{', '}', '%', '"', '\xff'}) {
      std::string bad = good;
      bad[n] = c;
      pass_error(bad);
    }
  }
}

TEST(Lmpass, a_file_may_hold_several_passes) {
  const std::string two =
      "pass two-a \"first\"\nafter two-b\nmatch { %y = silu(%x) }\ngroup\n"
      "pass two-b \"second\"\napproximate logits\nrival two-a\nmatch { %y = relu(%x) }\ngroup \"b\"\n";
  const std::vector<FusionSpec> specs = parse_lmpass(two, "two.lmpass");
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].name, "two-a");
  EXPECT_TRUE(specs[0].exact && specs[0].caches);
  EXPECT_EQ(specs[1].alternatives[0].label, "b");
  EXPECT_FALSE(specs[1].exact || specs[1].caches);
  EXPECT_EQ(specs[1].rivals.at(0).text, "two-a");
  EXPECT_EQ(lmpass_text(parse_lmpass(lmpass_text(specs[1]), "b").at(0)), lmpass_text(specs[1]));
  EXPECT_EQ(pass_error(two + "pass two-a \"\" match { %y = tanh(%x) } group"),
            "mine.lmpass:10:1: pass two-a is given twice");
  EXPECT_EQ(pass_error("pass a \"\"\nmatch { %y = tanh(%x) }\npass b \"\""),
            "mine.lmpass:2:9: this match has neither rewrite nor group");
  // Neither is there if one cannot be.
  EXPECT_EQ(
      load_error("pass two-c \"\" match { %y = silu(%x) } group pass fuse-qkv \"\" match { %y = silu(%x) } "
                 "group"),
      "mine.lmpass: there is already a pass fuse-qkv, built in");
  EXPECT_FALSE(is_pass("two-c"));
}

TEST(Lmpass, a_name_that_is_taken_and_an_order_of_nobody_are_refused) {
  EXPECT_EQ(load_error("pass fuse-qkv \"\" match { %y = silu(%x) } group"),
            "mine.lmpass: there is already a pass fuse-qkv, built in");
  EXPECT_EQ(load_error("pass mine \"\" before quantise match { %y = silu(%x) } group"),
            "mine.lmpass:1:21: there is no pass 'quantise'; did you mean quantize?");
  const std::string circle =
      load_error("pass mine \"\" after fuse-down-act before canonicalise match { %y = silu(%x) } group");
  EXPECT_TRUE(circle.starts_with("mine.lmpass: the order of passes goes in a circle through")) << circle;
  EXPECT_FALSE(is_pass("mine"));
  EXPECT_THROW(load_pass_files({"/no/such.lmpass"}), Error);
  EXPECT_THROW(load_pass_files({"/"}), Error);
}

// The examples are built-in passes written again; with either, every graph here becomes the same.
TEST(Lmpass, the_examples_give_the_graphs_of_their_twins) {
  const fs::path source = LMC_SOURCE_DIR;
  for (const char* name : {"qkv", "gate_up", "up_act"}) {
    const fs::path file = source / "passes/examples" / (std::string(name) + ".lmpass");
    if (!is_pass(parse_lmpass(read(file), file).at(0).name)) load_pass_files({file});
  }
  PassOptions cpp, text;
  cpp.only.emplace();
  text.only.emplace();
  for (const Pass* p : ordered_passes()) {
    const std::string name = p->name();
    const bool twin = name == "fuse-qkv" || name == "fuse-gate-up" || name == "fuse-up-act";
    if (name.starts_with("bad-")) continue;
    if (origin_flags(name).empty()) cpp.only->push_back(name);
    if (!twin) text.only->push_back(name);
  }
  cpp.repro_path.clear();
  text.repro_path.clear();
  int changed = 0;
  for (const auto& e : fs::directory_iterator(source / "tests/passes")) {
    const std::string input = read(e.path());
    if (input.find("// ---- error") != std::string::npos) continue;
    Graph a = parse_graph(input.substr(0, input.find("// ---- ")));
    Graph b = a.clone();
    run_passes(a, cpp);
    for (const PassReport& r : run_passes(b, text)) changed += r.changed && r.pass.ends_with("-text");
    EXPECT_EQ(print_graph(a), print_graph(b)) << e.path();
  }
  EXPECT_GE(changed, 10);
}

TEST(Lmpass, a_built_in_fusion_fits_on_a_page) {
  int seen = 0;
  for (const auto& e : fs::directory_iterator(std::string(LMC_SOURCE_DIR) + "/passes")) {
    const std::string text = read(e.path());
    if (text.find("LMC_FUSION(") == std::string::npos || e.path().extension() != ".cpp") continue;
    ++seen;
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 80) << e.path();
  }
  EXPECT_GE(seen, 4);
}

}  // namespace
}  // namespace lmc
