// The machine's figures as they are kept.
#include "tools/machine/machine.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "ir/error.h"
#include "tests/unit/temporary.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

constexpr MachineFigures kFigures{.threads = 3,
                                  .read_one = 1.5e10,
                                  .read_all = 2e10,
                                  .from_memory = {0, 0, 0, 0, 0.125, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                                  .int8_one = 7e10,
                                  .prefetch = 2,
                                  .launch = 2e-6,
                                  .step_start = 3e-5};

std::string refusal(const std::string& text) {
  try {
    machine_from_json(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Machine, FiguresReadBackAsTheyWereWritten) {
  const KeptFigures kept = machine_from_json(machine_to_json({kFigures, "a cpu", 0.25}));
  const MachineFigures& m = kept.figures;
  EXPECT_EQ(kept.cpu, "a cpu");
  EXPECT_EQ(kept.load, 0.25);
  EXPECT_EQ(m.threads, 3);
  EXPECT_EQ(m.read_one, kFigures.read_one);
  EXPECT_EQ(m.read_all, kFigures.read_all);
  EXPECT_EQ(m.int8_one, kFigures.int8_one);
  EXPECT_EQ(m.launch, kFigures.launch);
  EXPECT_EQ(m.step_start, kFigures.step_start);
  EXPECT_EQ(m.from_memory, kFigures.from_memory);
  EXPECT_EQ(m.prefetch, 2);
}

TEST(Machine, WhatIsNoFileOfFiguresIsRefused) {
  const std::string good = machine_to_json({kFigures, "a cpu"});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return refusal(text);
  };
  EXPECT_NE(with("\"format\": 7", "\"format\": 1").find("another format"), std::string::npos);
  EXPECT_NE(with("2e-06", "-1").find("'launch' is no positive number"), std::string::npos);
  EXPECT_NE(with("2e-06", "\"fast\""), "accepted");
  EXPECT_NE(with("read_one", "read_two"), "accepted");
  EXPECT_NE(with("0.125", "1.5").find("'from_memory': 1.5 is no part of all"), std::string::npos);
  EXPECT_NE(with("0.125", "0.125, 1").find("'from_memory' has 18 parts, not 17"), std::string::npos);
  EXPECT_NE(with("\"prefetch\": 2", "\"prefetch\": 3").find("'prefetch' is none of 0, 1 and 2"),
            std::string::npos);
  EXPECT_NE(refusal(""), "accepted");
  EXPECT_NE(refusal("[]"), "accepted");
}

TEST(Machine, AFileMayBeGivenInstead) {
  const std::string file = temporary("given.json");
  write_file(file, machine_to_json({kFigures, "a cpu of another machine"}));
  ::setenv("LMC_MACHINE", file.c_str(), 1);
  EXPECT_EQ(machine_figures(2).launch, kFigures.launch);
  write_file(file, "{}");
  EXPECT_THROW(machine_figures(2), Error);
  ::unsetenv("LMC_MACHINE");
  EXPECT_FALSE(given_machine());
}

// Nor what was measured on another CPU, or while others had this one.
TEST(MachineInDepth, TheyAreMeasuredOnceAndKept) {
  const std::string folder = temporary("cache");
  ::unsetenv("LMC_MACHINE");
  ::setenv("LMC_CACHE_DIR", folder.c_str(), 1);
  EXPECT_FALSE(kept_machine(2));
  const MachineFigures first = machine_figures(2);
  EXPECT_GT(first.read_all, 0);
  EXPECT_EQ(machine_file(2), folder + "/machine-2t.json");
  EXPECT_TRUE(kept_machine(2));
  KeptFigures made_up{kFigures, cpu_name()};
  made_up.figures.threads = 2;
  const auto is_kept = [&](const std::string& text) {
    write_file(machine_file(2), text);
    const auto kept = kept_machine(2);
    return kept && kept->launch == kFigures.launch;
  };
  EXPECT_TRUE(is_kept(machine_to_json(made_up)));
  EXPECT_EQ(machine_figures(2).launch, kFigures.launch);
  EXPECT_FALSE(is_kept("{"));
  made_up.load = 1e6;
  EXPECT_FALSE(is_kept(machine_to_json(made_up)));
  made_up = {made_up.figures, "another"};
  EXPECT_FALSE(is_kept(machine_to_json(made_up)));
  ::unsetenv("LMC_CACHE_DIR");
}

}  // namespace
}  // namespace lmc
