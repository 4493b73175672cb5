// Every golden checkpoint written as GGUF and read back gives the same logits.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/eval.h"
#include "models/export/gguf_export.h"
#include "passes/engine/manager.h"
#include "tests/unit/codegen/golden_folder.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

// What GGUF has no words for.
const std::map<std::string, std::string> kRefused = {
    {"falcon-rw", "has no place in the gguf: table"},                       // a norm that is only there
    {"qwen2-window", "GGUF cannot say all of this model's configuration"},  // a window from some layer on
};

class GgufGolden : public testing::TestWithParam<std::string> {};

TEST_P(GgufGolden, reads_back_with_the_same_logits) {
  const std::string folder = golden_folder() + "/" + GetParam();
  const Model original = load_model(folder, {});
  GgufExport to;
  to.path = temporary(GetParam() + ".gguf");
  if (kRefused.contains(GetParam())) {
    try {
      export_gguf(original, to);
      ADD_FAILURE() << "was written";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(kRefused.at(GetParam())), std::string::npos) << e.what();
    }
    EXPECT_FALSE(std::filesystem::exists(to.path));
    return;
  }
  export_gguf(original, to);
  Model read = load_model(to.path, {});
  EXPECT_EQ(read.family, original.family);
  EXPECT_EQ(read.parameters, original.parameters);
  PassOptions passes;
  passes.only = std::vector<std::string>{"kv-format"};
  passes.settings["kv-format"] = {{"format", "f32"}};
  run_passes(read.graph, passes);
  std::ifstream in(folder + "/golden.json");
  const auto answer = nlohmann::json::parse(in);
  const auto ids = answer["input_ids"].get<std::vector<int32_t>>();
  const Tensor logits = evaluate(read.graph, step_inputs(ids, true), *read.weights)[0];
  const auto want = answer["final_logits"].get<std::vector<double>>();
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(logits.row(logits.rows() - 1)[i], want[i], 2e-5) << i;
  for (int64_t r = 0; r < logits.rows(); ++r) {
    const double* row = logits.row(r);
    EXPECT_EQ(std::max_element(row, row + logits.last()) - row,
              answer["argmax"][static_cast<size_t>(r)].get<int64_t>());
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufGolden, testing::ValuesIn(golden_names()), golden_test_name);

}  // namespace
}  // namespace lmc
