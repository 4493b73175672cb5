// Every bit of every result stays what it was: the logits of each golden checkpoint in each format, on every
// target of this machine, token by token and in blocks, hash to what tests/data/bits.json holds. A change
// that is meant to change them says so, and LMC_BLESS=1 build/release/bin/test_codegen
// --gtest_filter='*Bits*' rewrites the file; LMC_BLESS=missing adds what it lacks, as for a new format.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/proof/prove.h"
#include "codegen/target.h"
#include "compiled_model.h"
#include "tests/unit/codegen/golden_folder.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

const std::string kFile = std::string(LMC_SOURCE_DIR) + "/tests/data/bits.json";

// FNV-1a of the numbers' bytes.
std::string hash(const std::vector<float>& numbers) {
  uint64_t h = 0xcbf29ce484222325;
  for (const float f : numbers) {
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    for (int i = 0; i < 32; i += 8) h = (h ^ ((bits >> i) & 255)) * 0x100000001b3;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
  return text;
}

Json known() {
  std::ifstream in(kFile);
  return in ? Json::parse(in) : Json::object();
}

class GoldenBits : public testing::TestWithParam<std::string> {};

TEST_P(GoldenBits, are_what_they_were) {
  const std::string folder = golden_folder() + "/" + GetParam();
  std::ifstream in(folder + "/golden.json");
  const auto ids = nlohmann::json::parse(in)["input_ids"].get<std::vector<int32_t>>();
  Json all = known();
  const bool bless = std::getenv("LMC_BLESS") != nullptr;
  const bool missing = bless && std::string(std::getenv("LMC_BLESS")) == "missing";
  const bool thorough = (bless && !missing) || std::getenv("LMC_ALL_BITS") != nullptr;
#ifdef __SANITIZE_ADDRESS__
  const std::vector<std::string> few;
#else
  const std::vector<std::string> few = {"gpt2-a", "gemma3-a", "mixtral-a", "phi3-long"};
#endif
  const bool listed = std::find(few.begin(), few.end(), GetParam()) != few.end();
  const bool in_depth = thorough || listed;
  if (!bless && !all.contains(GetParam())) {
    // A folder of one's own may hold others than the tests do.
    if (std::getenv("LMC_GOLDEN_DIR")) GTEST_SKIP() << "bits.json does not have this checkpoint";
    FAIL() << "bits.json does not have " << GetParam() << ": LMC_BLESS=1 adds it";
  }
  const std::string int8_caches = "q8_0, caches in q8_0";
  for (const std::string& format :
       {std::string("none"), std::string("q8_0"), std::string("q4_k"), std::string("q4_0"),
        std::string("iq4_nl"), std::string("q6_k"), std::string("q5_k"), std::string("q5_0"),
        std::string("f16"), std::string("bf16"), int8_caches}) {
    if (missing && all[GetParam()].contains(format)) continue;
    if (!missing && !in_depth && format != "none" && format != "q8_0" && format != "q4_k") continue;
    const bool int8 = format == int8_caches;
    if (int8 && !listed) continue;
    std::string first;
    for (const Target* target : targets_here()) {
      if (!first.empty() && !thorough && format != "q8_0" && !int8) continue;
      Model m = load_model(folder, {});
      const Compiled c = compile(m, int8 ? "q8_0" : format, 1, target->name(), int8 ? "q8_0" : "");
      const Proof proof = prove_kernels(c.code.graphs, c.code.plan, *c.kernels, true);
      EXPECT_FALSE(proof.wrong.has_value()) << target->name() << ": " << proof.wrong->str();
      for (const int64_t block : {1, 0}) {
        const std::string got = hash(c.logits(ids, 1, block, "in-order"));
        if (first.empty()) first = got;
        EXPECT_EQ(got, first) << format << " on " << target->name() << ", blocks of " << block;
      }
    }
    if (bless) {
      all[GetParam()][format] = first;
    } else {
      EXPECT_EQ(first, all[GetParam()].value(format, "")) << format;
    }
  }
  if (bless) std::ofstream(kFile) << all.dump(1) << "\n";
}

INSTANTIATE_TEST_SUITE_P(All, GoldenBits, testing::ValuesIn(golden_names()), golden_test_name);

}  // namespace
}  // namespace lmc
