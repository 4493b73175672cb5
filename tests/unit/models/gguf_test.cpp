// Reading GGUF: values, block formats, and every way a file can be wrong.
#include "models/gguf/gguf.h"

#include <cstring>

#include "ir/error.h"
#include "models/gguf/gguf_weights.h"
#include "tests/unit/models/gguf_bytes.h"

namespace lmc {
namespace {

constexpr uint32_t kF32 = 0, kQ4_0 = 2, kQ8_0 = 8, kQ4_K = 12, kQ6_K = 14;

// One tensor "t" of one row of a format.
GgufFile one_row(uint32_t format, uint64_t columns, const std::string& data) {
  return GgufFile(GgufBytes().header(1, 0).tensor("t", {columns}, format, 0).pad().data(data).file());
}

std::vector<float> row(const GgufFile& f) {
  const auto& t = f.tensors().at("t");
  std::vector<float> out(static_cast<size_t>(t.columns()));
  f.read_row(t, 0, 0, out);
  return out;
}

std::string half(float f) {
  const uint16_t h = f32_to_f16(f);
  return {reinterpret_cast<const char*>(&h), 2};
}

TEST(Gguf, q8_0_is_a_scale_and_32_numbers_of_8_bits) {
  std::string q = half(0.5F);
  for (int i = 0; i < 32; ++i) q += static_cast<char>(i * 8 - 128);
  const auto x = row(one_row(kQ8_0, 32, q));
  for (int i = 0; i < 32; ++i) EXPECT_EQ(x[static_cast<size_t>(i)], 0.5F * static_cast<float>(i * 8 - 128));
}

TEST(Gguf, q4_0_has_the_first_half_in_the_low_bits) {
  std::string q = half(2.0F);
  for (int i = 0; i < 16; ++i) q += static_cast<char>(i | (15 - i) << 4);
  const auto x = row(one_row(kQ4_0, 32, q));
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(x[static_cast<size_t>(i)], 2.0F * static_cast<float>(i - 8));
    EXPECT_EQ(x[static_cast<size_t>(i + 16)], 2.0F * static_cast<float>(7 - i));
  }
}

// The parts' scales and minima are written down and packed here as the format says: the low 6 bits of eight
// bytes hold the first four of both, four bits in four more bytes and two spare bits above hold the others.
TEST(Gguf, q4_k_has_eight_parts_with_a_scale_and_a_minimum_each) {
  const int scales[] = {1, 63, 17, 32, 5, 48, 63, 21};
  const int mins[] = {0, 9, 63, 33, 62, 16, 3, 47};
  std::string packed(12, '\0');
  for (size_t i = 0; i < 4; ++i) {
    packed[i] = static_cast<char>(scales[i] | scales[i + 4] >> 4 << 6);
    packed[i + 4] = static_cast<char>(mins[i] | mins[i + 4] >> 4 << 6);
    packed[i + 8] = static_cast<char>((scales[i + 4] & 15) | (mins[i + 4] & 15) << 4);
  }
  std::string q;
  const auto number = [](int n) { return (n * 7 + n / 32) % 16; };
  for (int pair = 0; pair < 4; ++pair) {
    for (int i = 0; i < 32; ++i)
      q += static_cast<char>(number(pair * 64 + i) | number(pair * 64 + 32 + i) << 4);
  }
  const auto x = row(one_row(kQ4_K, 256, half(0.25F) + half(0.5F) + packed + q));
  for (int n = 0; n < 256; ++n) {
    const float want =
        0.25F * static_cast<float>(scales[n / 32] * number(n)) - 0.5F * static_cast<float>(mins[n / 32]);
    EXPECT_EQ(x[static_cast<size_t>(n)], want) << n;
  }
}

TEST(Gguf, q6_k_joins_four_low_and_two_high_bits) {
  const auto number = [](int n) { return (n * 11 + n / 16) % 64; };
  std::string low(128, '\0');
  std::string high(64, '\0');
  std::string scales;
  for (int n = 0; n < 256; ++n) {
    const int side = n / 128, run = n % 128 / 32, i = n % 32;
    auto& l = low[static_cast<size_t>(side * 64 + run % 2 * 32 + i)];
    auto& h = high[static_cast<size_t>(side * 32 + i)];
    l = static_cast<char>(l | (number(n) & 15) << (run >= 2 ? 4 : 0));
    h = static_cast<char>(h | (number(n) >> 4) << run * 2);
  }
  for (int i = 0; i < 16; ++i) scales += static_cast<char>(i * 16 - 128);
  const auto x = row(one_row(kQ6_K, 256, low + high + scales + half(0.5F)));
  for (int n = 0; n < 256; ++n)
    EXPECT_EQ(x[static_cast<size_t>(n)], 0.5F * static_cast<float>((n / 16 * 16 - 128) * (number(n) - 32)))
        << n;
}

TEST(Gguf, any_part_of_a_row_reads_the_same) {
  std::string q;
  for (int b = 0; b < 3; ++b) {
    q += half(1.0F + static_cast<float>(b));
    for (int i = 0; i < 32; ++i) q += static_cast<char>(i - 20 * b);
  }
  const GgufFile f = one_row(kQ8_0, 96, q);
  const auto whole = row(f);
  for (int64_t first = 0; first < 96; first += 5) {
    for (size_t n = 0; n + static_cast<size_t>(first) <= 96; n += 7) {
      std::vector<float> part(n);
      f.read_row(f.tensors().at("t"), 0, first, part);
      for (size_t i = 0; i < n; ++i) EXPECT_EQ(part[i], whole[static_cast<size_t>(first) + i]);
    }
  }
}

TEST(Gguf, metadata_of_every_type_is_read) {
  GgufBytes b;
  b.header(0, 7);
  b.text("u8").u32(0).data("\xff");
  b.text("i64").u32(11).u64(static_cast<uint64_t>(-5));
  b.text("real").u32(6).f32(1e-5F);
  b.text("flag").u32(7).data("\x01");
  b.key_text("name", "x");
  b.text("numbers").u32(9).u32(5).u64(2).u32(7).u32(static_cast<uint32_t>(-1));
  b.text("texts").u32(9).u32(8).u64(2).text("a").text("bc");
  const GgufFile f(b.file());
  EXPECT_EQ(f.find("u8")->integer(), 255);
  EXPECT_EQ(f.find("i64")->integer(), -5);
  EXPECT_EQ(f.find("real")->real(), 1e-5) << "the decimal number it was written from";
  EXPECT_EQ(f.find("flag")->integer(), 1);
  EXPECT_EQ(f.find("name")->text(), "x");
  EXPECT_EQ(f.find("numbers")->integers(), (std::vector<int64_t>{7, -1}));
  EXPECT_EQ(f.find("texts")->texts(), (std::vector<std::string_view>{"a", "bc"}));
  EXPECT_EQ(f.find("name")->integer(), std::nullopt);
  EXPECT_EQ(f.find("texts")->integers(), std::nullopt);
  EXPECT_EQ(f.find("none"), nullptr);
}

std::string gguf_error(const GgufBytes& b) {
  try {
    const GgufFile f(b.file("bad.gguf"));
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("bad.gguf"), std::string::npos) << "the message must name the file";
    return e.what();
  }
  return "";
}

TEST(Gguf, malformed_files_are_one_error_each) {
  const std::string four(32, 'x');
  const auto tensor = [&](const std::vector<uint64_t>& dims, uint32_t format, uint64_t offset) {
    return GgufBytes().header(1, 0).tensor("t", dims, format, offset).pad().data(four);
  };
  const auto key = [](uint32_t type) { return GgufBytes().header(0, 1).text("k").u32(type); };
  const struct {
    std::string what;
    GgufBytes bytes;
    std::string message;
  } cases[] = {
      {"empty", GgufBytes(), "is empty"},
      {"another file", GgufBytes().data("{\"a\": 1, \"b\": 2}"), "is not a GGUF file"},
      {"too short", GgufBytes().data("GG"), "is not a GGUF file"},
      {"version 1", GgufBytes().header(0, 0, 1), "GGUF version 1"},
      {"big-endian", GgufBytes().header(0, 0, 0x03000000), "big-endian"},
      {"only a header", GgufBytes().data("GGUF").u32(3).u64(1), "truncated"},
      {"absurd number of tensors", GgufBytes().header(1ULL << 60, 0), "the name of tensor 0"},
      {"absurd number of keys", GgufBytes().header(0, 1ULL << 60), "metadata key 0"},
      {"absurd length of a key", GgufBytes().header(0, 1).u64(1ULL << 63),
       "the name of metadata key 0 needs"},
      {"empty key", GgufBytes().header(0, 1).text("").u32(0), "is empty"},
      {"key is not UTF-8", GgufBytes().header(0, 1).text("a\xff").u32(0), "is not UTF-8"},
      {"key with a newline", GgufBytes().header(0, 1).text("a\nb").u32(0), "is not UTF-8"},
      {"unknown type of value", key(13), "metadata key 'k' has the unknown type 13"},
      {"value is cut", key(10).u32(1), "metadata key 'k' needs 8 bytes"},
      {"absurd text", key(8).u64(~0ULL), "metadata key 'k' needs"},
      {"absurd array", key(9).u32(4).u64(1ULL << 62), "metadata key 'k' claims"},
      {"absurd array of texts", key(9).u32(8).u64(1ULL << 40), "metadata key 'k' claims"},
      {"array of unknown things", key(9).u32(99).u64(0), "unknown type 99"},
      {"same key twice", GgufBytes().header(0, 2).key_u32("k", 1).key_u32("k", 2), "'k' is given twice"},
      {"alignment", GgufBytes().header(0, 1).key_u32("general.alignment", 12), "general.alignment"},
      {"split", GgufBytes().header(0, 2).key_u32("split.count", 3).key_u32("split.no", 1),
       "part 2 of a model in 3 files, but its name does not end in -00002-of-00003.gguf"},
      {"tensor name is not UTF-8", GgufBytes().header(1, 0).tensor("\xc3(", {1}, kF32, 0), "is not UTF-8"},
      {"no dimension", tensor({}, kF32, 0), "tensor 't' has 0 dimensions"},
      {"five dimensions", tensor({1, 1, 1, 1, 1}, kF32, 0), "tensor 't' has 5 dimensions"},
      {"a dimension of zero", tensor({0}, kF32, 0), "tensor 't' has the dimension 0"},
      {"dimensions that overflow", tensor({1ULL << 40, 1ULL << 40}, kF32, 0), "tensor 't' has the dimension"},
      {"unknown format", tensor({8}, 77, 0), "of the format unknown (77)"},
      {"format that is not read", tensor({256}, 16, 0), "of the format IQ2_XXS (16)"},
      {"half a block", tensor({33}, kQ8_0, 0), "not whole blocks of 32"},
      {"data is cut", tensor({9}, kF32, 0), "the file is truncated"},
      {"starts behind the end", tensor({1}, kF32, 1ULL << 40), "behind the file's end"},
      {"offset is not aligned", tensor({1}, kF32, 4), "not a multiple of 32"},
      {"same tensor twice",
       GgufBytes().header(2, 0).tensor("t", {1}, kF32, 0).tensor("t", {1}, kF32, 0).pad().data(four),
       "tensor 't' is given twice"},
      {"overlap",
       GgufBytes().header(2, 0).tensor("a", {1}, kF32, 0).tensor("b", {2}, kF32, 0).pad().data(four),
       "overlap"},
  };
  for (const auto& c : cases) {
    const std::string message = gguf_error(c.bytes);
    EXPECT_NE(message.find(c.message), std::string::npos) << c.what << ": " << message;
  }
}

// Part `no` of `count`, with one tensor of that number.
GgufBytes part(uint32_t no, uint32_t count, uint32_t tensors) {
  GgufBytes b;
  b.header(1, 3)
      .key_u32("split.no", no)
      .key_u32("split.count", count)
      .key_u32("split.tensors.count", tensors);
  b.tensor("t" + std::to_string(no), {1}, kF32, 0).pad().f32(static_cast<float>(no) + 0.5F);
  return b;
}

std::string part_error(const std::string& path) {
  try {
    GgufFile{path};
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(Gguf, parts_are_one_file_by_the_name_of_the_first) {
  const std::string first = part(0, 3, 3).file("m-00001-of-00003.gguf");
  EXPECT_NE(part_error(first).find("m-00002-of-00003.gguf"), std::string::npos) << "is not there yet";
  const std::string second = part(1, 3, 3).file("m-00002-of-00003.gguf");
  part(2, 3, 3).file("m-00003-of-00003.gguf");
  const GgufFile f(first);
  EXPECT_EQ(f.parts(), 3U);
  ASSERT_EQ(f.tensors().size(), 3U);
  for (int i = 0; i < 3; ++i) {
    float x = 0;
    f.read_row(f.tensors().at("t" + std::to_string(i)), 0, 0, std::span(&x, 1));
    EXPECT_EQ(x, static_cast<float>(i) + 0.5F);
  }
  EXPECT_NE(part_error(second).find("part 2 of a model in 3 files; name the first"), std::string::npos);
  part(2, 3, 3).file("m-00002-of-00003.gguf");
  EXPECT_NE(part_error(first).find("m-00002-of-00003.gguf: is not part 2 of 3"), std::string::npos);
  part(1, 3, 4).file("m-00002-of-00003.gguf");
  part(0, 3, 4).file("m-00001-of-00003.gguf");
  EXPECT_NE(part_error(first).find("have 3 tensors, not the 4"), std::string::npos);
  part(0, 99999, 3).file("m-00001-of-99999.gguf");
  EXPECT_NE(part_error(temporary("m-00001-of-99999.gguf")).find("m-00002-of-99999.gguf"), std::string::npos);
}

TEST(Gguf, arrays_may_nest_but_not_without_end) {
  const auto nested = [](int depth) {
    GgufBytes b;
    b.header(0, 1).text("k").u32(9);
    for (int i = 0; i < depth; ++i) b.u32(9).u64(1);
    return b.u32(4).u64(1).u32(5);
  };
  EXPECT_EQ(gguf_error(nested(2)), "");
  EXPECT_NE(gguf_error(nested(2000)).find("nests arrays"), std::string::npos);
}

TEST(Gguf, any_cut_of_the_file_is_an_error_and_no_crash) {
  GgufBytes b;
  b.header(1, 2).key_text("general.architecture", "x").text("a").u32(9).u32(8).u64(1).text("t");
  b.tensor("t", {2, 2}, kF32, 0).pad().data("0123456789abcdef");
  EXPECT_NO_THROW(GgufFile{b.file("whole.gguf")});
  for (size_t n = 0; n < b.bytes.size(); ++n)
    EXPECT_THROW(GgufFile{GgufBytes().data(b.bytes.substr(0, n)).file("cut.gguf")}, Error) << n;
}

// A file with the 8 x 32 matrix "t" in Q8_0, its numbers all different.
std::shared_ptr<const GgufFile> matrix_file() {
  std::string q;
  for (int r = 0; r < 8; ++r) {
    q += half(static_cast<float>(r + 1));
    for (int i = 0; i < 32; ++i) q += static_cast<char>(i * 4 - 64 - r);
  }
  return std::make_shared<const GgufFile>(
      GgufBytes().header(1, 0).tensor("t", {32, 8}, kQ8_0, 0).pad().data(q).file("matrix.gguf"));
}

float stored(int64_t r, int64_t c) { return static_cast<float>((r + 1) * (c * 4 - 64 - r)); }

TEST(GgufWeights, a_transposed_tensor_reads_as_the_checkpoint_had_it_whole_or_in_part) {
  GgufWeights w(matrix_file());
  w.add("t", "t", {.transpose = true});
  EXPECT_EQ(w.type("t")->str(), "f32[32,8]");
  for (int64_t first : {0, 3, 8, 100, 255}) {
    for (int64_t n : {int64_t{1}, int64_t{5}, int64_t{30}, 256 - first}) {
      if (first + n > 256) continue;
      std::vector<float> x(static_cast<size_t>(n));
      w.read("t", first, x);
      for (int64_t i = 0; i < n; ++i)
        EXPECT_EQ(x[static_cast<size_t>(i)], stored((first + i) % 8, (first + i) / 8)) << first << "+" << i;
    }
  }
  std::vector<float> x(64);
  EXPECT_TRUE(w.read_transposed("t", 32, x));
  EXPECT_EQ(x[33], stored(2, 1));
}

TEST(GgufWeights, rotated_pairs_go_back_to_halves) {
  GgufWeights w(matrix_file());
  w.add("t", "t", {.rope_heads = 2});
  std::vector<float> x(256);
  w.read("t", 0, x);
  const int64_t order[] = {0, 2, 1, 3, 4, 6, 5, 7};  // of two heads of four rows
  for (int64_t r = 0; r < 8; ++r) EXPECT_EQ(x[static_cast<size_t>(r * 32 + 9)], stored(order[r], 9));
  std::vector<std::byte> blocks(34);
  EXPECT_TRUE(w.read_blocks("t", false, DType::q8_0, 1, 1, blocks));
  EXPECT_EQ(std::memcmp(blocks.data(), half(3.0F).data(), 2), 0) << "the blocks go with their rows";
}

TEST(GgufStorage, rows_go_where_they_came_from) {
  GgufStorage rope;
  rope.rope_heads = 3;
  GgufStorage parts;
  parts.parts = {4, 2, 2};
  for (const GgufStorage& how : {GgufStorage{}, rope, parts}) {
    EXPECT_TRUE(how.fits(24));
    for (int64_t r = 0; r < 24; ++r) EXPECT_EQ(how.checkpoint_row(24, how.stored_row(24, r)), r);
  }
  EXPECT_FALSE(rope.fits(9));
  EXPECT_FALSE(parts.fits(12));
  // Three blocks of four, two and two rows: first all the fours.
  EXPECT_EQ(parts.stored_row(24, 8), 4);
  EXPECT_EQ(parts.stored_row(24, 4), 12);
  EXPECT_EQ(parts.stored_row(24, 23), 23);
}

TEST(GgufWeights, the_elements_of_a_vector_are_its_rows) {
  std::string numbers;
  for (int i = 0; i < 8; ++i) {
    const auto f = static_cast<float>(i);
    numbers.append(reinterpret_cast<const char*>(&f), 4);
  }
  GgufWeights w(std::make_shared<const GgufFile>(
      GgufBytes().header(1, 0).tensor("b", {8}, kF32, 0).pad().data(numbers).file("vector.gguf")));
  w.add("b", "b", {.rope_heads = 2});
  std::vector<float> x(7);
  w.read("b", 1, x);
  EXPECT_EQ(x, (std::vector<float>{2, 1, 3, 4, 6, 5, 7}));
  EXPECT_THROW(w.add("c", "b", {.rope_heads = 3}), Error);
}

TEST(GgufWeights, numbers_are_shifted_and_scaled_back) {
  GgufWeights w(matrix_file());
  w.add("t", "t", {.plus = 1, .times = 2});
  std::vector<float> x(1);
  w.read("t", 5, x);
  EXPECT_EQ(x[0], stored(0, 5) / 2 - 1);
}

TEST(GgufWeights, matrices_of_a_stack_are_tensors_of_their_own) {
  const auto matrix = matrix_file();
  const GgufFile::Tensor& t = matrix->tensors().at("t");
  std::string q;
  for (int64_t r = 0; r < 8; ++r) {
    const auto row = matrix->row(t, r);
    q.append(reinterpret_cast<const char*>(row.data()), row.size());
  }
  const auto file = std::make_shared<const GgufFile>(GgufBytes()
                                                         .header(2, 0)
                                                         .tensor("t", {32, 4, 2}, kQ8_0, 0)
                                                         .tensor("one", {32, 8}, kQ8_0, 288)
                                                         .pad()
                                                         .data(q)
                                                         .data(std::string(16, '\0'))
                                                         .data(q)
                                                         .file("stack.gguf"));
  GgufWeights w(file);
  w.add_stack({"e.0", "e.1"}, "t", {.rope_heads = 2});
  w.add_stack({"turned.0", "turned.1"}, "t", {.transpose = true});
  w.add_stack({"only"}, "one", {});  // ggml leaves out a dimension of 1
  EXPECT_EQ(w.type("e.1")->str(), "f32[4,32]");
  EXPECT_EQ(w.type("turned.1")->str(), "f32[32,4]");
  EXPECT_EQ(w.type("only")->str(), "f32[8,32]");
  EXPECT_EQ(w.stored_format("e.1")->format, DType::q8_0);
  std::vector<float> x(128);
  w.read("e.1", 0, x);
  for (int64_t r = 0; r < 4; ++r) EXPECT_EQ(x[static_cast<size_t>(r * 32 + 9)], stored(4 + r, 9)) << r;
  w.read("turned.1", 0, x);
  EXPECT_EQ(x[9 * 4 + 2], stored(6, 9));
  std::vector<std::byte> blocks(34);
  EXPECT_TRUE(w.read_blocks("e.1", false, DType::q8_0, 2, 1, blocks));
  EXPECT_EQ(std::memcmp(blocks.data(), half(7.0F).data(), 2), 0);
  EXPECT_THROW(w.read("e.0", 127, std::span(x).first(2)), Error) << "the next expert's";
  EXPECT_THROW(w.read_blocks("e.0", false, DType::q8_0, 4, 1, blocks), Error);
  EXPECT_THROW(w.add_stack({"e.0", "e.1", "e.2"}, "t", {}), Error);
  EXPECT_THROW(w.add_stack({"e.0", "e.1"}, "one", {}), Error);
}

TEST(GgufWeights, blocks_are_given_only_as_they_are_stored) {
  GgufWeights w(matrix_file());
  w.add("plain", "t", {});
  w.add("turned", "t", {.transpose = true});
  w.add("shifted", "t", {.plus = 1});
  std::vector<std::byte> b(34);
  EXPECT_TRUE(w.read_blocks("plain", false, DType::q8_0, 0, 1, b));
  EXPECT_FALSE(w.read_blocks("plain", true, DType::q8_0, 0, 1, b));
  EXPECT_TRUE(w.read_blocks("turned", true, DType::q8_0, 0, 1, b));
  EXPECT_FALSE(w.read_blocks("turned", false, DType::q8_0, 0, 1, b));
  EXPECT_FALSE(w.read_blocks("shifted", false, DType::q8_0, 0, 1, b));
  EXPECT_THROW(w.read_blocks("plain", false, DType::q8_0, 8, 1, b), Error);
  std::vector<float> x(1);
  w.read("shifted", 5, x);
  EXPECT_EQ(x[0], stored(0, 5) - 1);
  EXPECT_THROW(w.read("plain", 256, x), Error);
  EXPECT_THROW(w.read("none", 0, x), Error);
}

}  // namespace
}  // namespace lmc
