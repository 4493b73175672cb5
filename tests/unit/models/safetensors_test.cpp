// Reading safetensors: what is right, and every way a file can be wrong.
#include "models/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "ir/error.h"
#include "models/checkpoint/hf_folder.h"
#include "models/checkpoint/random.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

std::string write(const std::string& header, const std::string& data, uint64_t length = 0) {
  const std::string path = temporary("t.safetensors");
  std::ofstream out(path, std::ios::binary);
  const uint64_t n = length ? length : header.size();
  out.write(reinterpret_cast<const char*>(&n), 8);
  out << header << data;
  return path;
}

std::string file_error(const std::string& header, const std::string& data, uint64_t length = 0) {
  return error_of([&] {
    SafetensorsFile f(write(header, data, length));
    std::vector<float> x(1);
    for (const auto& [name, t] : f.tensors()) f.read(name, 0, x);
  });
}

TEST(Safetensors, f32_f16_and_bf16_are_widened) {
  const float f = 1.5F;
  std::string data(reinterpret_cast<const char*>(&f), 4);
  data += std::string("\x00\x3e", 2) + std::string("\xc0\x3f", 2);  // 1.5 as f16 and as bf16
  const SafetensorsFile file(
      write(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
            R"("b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},)"
            R"("c":{"dtype":"BF16","shape":[1,1],"data_offsets":[6,8]},"__metadata__":{"format":"pt"}})",
            data));
  for (const char* name : {"a", "b", "c"}) {
    std::vector<float> x(1);
    file.read(name, 0, x);
    EXPECT_EQ(x[0], 1.5F) << name;
  }
}

TEST(Safetensors, malformed_files_are_one_error_each) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  EXPECT_EQ(file_error(good, "1234"), "");
  EXPECT_NE(file_error(good, "123").find("truncated"), std::string::npos);
  EXPECT_NE(file_error(good, "1234", 1ULL << 62).find("header claims"), std::string::npos);
  EXPECT_NE(file_error("{", "").find("not well-formed JSON"), std::string::npos);
  EXPECT_NE(file_error("[]", "").find("not a JSON object"), std::string::npos);
  EXPECT_NE(
      file_error(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234").find("shape and dtype"),
      std::string::npos);
  EXPECT_NE(file_error(R"({"a":{"dtype":"BOOL","shape":[9223372036854775807,2,0],"data_offsets":[0,0]}})", "")
                .find("too large"),
            std::string::npos);
  EXPECT_NE(
      file_error(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234").find("whole number"),
      std::string::npos);
  EXPECT_NE(file_error(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "1234"), "");
  EXPECT_NE(
      file_error(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "1234").find("data_offsets"),
      std::string::npos);
  EXPECT_NE(
      file_error(R"({"a":{"dtype":"X1","shape":[1],"data_offsets":[0,4]}})", "1234").find("unknown dtype"),
      std::string::npos);
  EXPECT_NE(file_error(R"({"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", "1234")
                .find("must be F32, F16 or BF16"),
            std::string::npos);
  EXPECT_NE(
      file_error(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", "1234"),
      "");
  EXPECT_NE(
      file_error(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
          "123456")
          .find("overlap"),
      std::string::npos);
  EXPECT_NE(
      file_error(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          "1234")
          .find("twice"),
      std::string::npos);
}

TEST(Safetensors, any_cut_of_the_file_is_an_error_and_no_crash) {
  const std::string whole = [] {
    std::ifstream in(write(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"),
                     std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  const std::string path = temporary("cut.safetensors");
  for (size_t n = 0; n < whole.size(); ++n) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, n);
    EXPECT_THROW(SafetensorsFile{path}, Error) << n;
  }
}

TEST(RandomWeights, any_range_gives_the_same_numbers) {
  RandomWeights w(1);
  w.declare("a", {DType::bf16, {10, 100}}, 0);
  std::vector<float> all(1000);
  std::vector<float> part(17);
  w.read("a", 0, all);
  w.read("a", 333, part);
  for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], all[333 + i]);
}

TEST(RandomWeights, have_the_deviation_and_center_they_should) {
  RandomWeights w(7);
  w.declare("w", {DType::f32, {100000}}, 0);
  w.declare("norm", {DType::f32, {100000}}, 1);
  for (const char* name : {"w", "norm"}) {
    std::vector<float> x(100000);
    w.read(name, 0, x);
    double mean = 0;
    double square = 0;
    for (float f : x) mean += f / 1e5;
    for (float f : x) square += (f - mean) * (f - mean) / 1e5;
    EXPECT_NEAR(mean, name[0] == 'n' ? 1 : 0, 3e-4);
    EXPECT_NEAR(std::sqrt(square), 0.02, 2e-4);
  }
}

TEST(RandomWeights, differ_by_seed_and_name) {
  RandomWeights a(1);
  RandomWeights b(2);
  std::vector<float> x(8), y(8), z(8);
  for (auto* w : {&a, &b}) {
    w->declare("p", {DType::f32, {8}}, 0);
    w->declare("q", {DType::f32, {8}}, 0);
  }
  a.read("p", 0, x);
  b.read("p", 0, y);
  a.read("q", 0, z);
  EXPECT_NE(x, y);
  EXPECT_NE(x, z);
}

}  // namespace
}  // namespace lmc
