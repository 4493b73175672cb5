// Errors that make up for each other where inputs go together.
#include "ir/error_feedback.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lmc {
namespace {

constexpr size_t kColumns = 300;  // no whole blocks of 256, or of 32

std::vector<float> normal(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> of;
  std::vector<float> x(n);
  for (float& f : x) f = of(random);
  return x;
}

// Inputs that lie near a space of so many dimensions, rows of kColumns.
std::vector<float> inputs(size_t rows, size_t dimensions, unsigned seed) {
  const std::vector<float> basis = normal(dimensions * kColumns, 1);
  const std::vector<float> where = normal(rows * dimensions, seed);
  std::vector<float> x = normal(rows * kColumns, seed + 1);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < kColumns; ++c) {
      float& f = x[r * kColumns + c];
      f *= 0.1F;
      for (size_t d = 0; d < dimensions; ++d) f += where[r * dimensions + d] * basis[d * kColumns + c];
    }
  }
  return x;
}

std::vector<double> products_of(const std::vector<float>& x) {
  std::vector<double> out(kColumns * kColumns);
  for (size_t r = 0; r < x.size(); r += kColumns) {
    for (size_t i = 0; i < kColumns; ++i) {
      for (size_t j = i; j < kColumns; ++j) out[i * kColumns + j] += double{x[r + i]} * double{x[r + j]};
    }
  }
  return out;
}

std::vector<float> decoded(const BlockFormat& f, const std::vector<std::byte>& blocks) {
  std::vector<float> out(kColumns);
  decode_row(f, blocks.data(), kColumns, out.data());
  return out;
}

double error_of_products(const std::vector<float>& x, const std::vector<float>& w,
                         const std::vector<float>& q) {
  double sum = 0;
  for (size_t r = 0; r < x.size(); r += kColumns) {
    double of_row = 0;
    for (size_t c = 0; c < kColumns; ++c) of_row += double{x[r + c]} * (double{w[c]} - double{q[c]});
    sum += of_row * of_row;
  }
  return sum;
}

struct Rounded {
  std::vector<float> plain, fed;
};
Rounded rounded(const BlockFormat& f, const ErrorFeedback& feedback, const std::vector<float>& w) {
  std::vector<std::byte> plain(static_cast<size_t>(f.row_bytes(kColumns))), fed(plain.size());
  encode_row(f, w.data(), kColumns, plain.data());
  feedback.encode_row(f, w.data(), nullptr, fed.data());
  return {decoded(f, plain), decoded(f, fed)};
}

const char* const kFormats[] = {"q4_0", "iq4_nl", "q4_k", "q5_0", "q5_k", "q6_k"};

TEST(ErrorFeedback, brings_products_nearer_also_with_inputs_it_has_not_seen) {
  const ErrorFeedback feedback(products_of(inputs(600, 20, 3)), kColumns);
  const std::vector<float> others = inputs(200, 20, 7);
  for (const char* name : kFormats) {
    const BlockFormat& f = block_format(*dtype_from_name(name));
    double plain = 0, fed = 0;
    for (unsigned row = 0; row < 20; ++row) {
      const std::vector<float> w = normal(kColumns, 100 + row);
      const Rounded r = rounded(f, feedback, w);
      plain += error_of_products(others, w, r.plain);
      fed += error_of_products(others, w, r.fed);
    }
    EXPECT_LT(fed, 0.5 * plain) << name;
  }
}

TEST(ErrorFeedback, passes_nothing_on_between_inputs_that_do_not_go_together) {
  std::vector<double> products(kColumns * kColumns);
  for (size_t i = 0; i < kColumns; ++i) products[i * kColumns + i] = 2;
  const ErrorFeedback feedback(products, kColumns);
  for (const char* name : kFormats) {
    const BlockFormat& f = block_format(*dtype_from_name(name));
    const Rounded r = rounded(f, feedback, normal(kColumns, 5));
    for (size_t c = 0; c < kColumns; ++c) EXPECT_NEAR(r.fed[c], r.plain[c], 1e-6F) << name << " " << c;
  }
}

TEST(ErrorFeedback, leaves_alone_what_cannot_be_rounded_so) {
  const ErrorFeedback feedback(products_of(inputs(50, 5, 3)), kColumns);
  std::vector<float> w = normal(kColumns, 9);
  const Rounded q8 = rounded(block_format(DType::q8_0), feedback, w);
  EXPECT_EQ(q8.fed, q8.plain);
  w[40] = INFINITY;
  const BlockFormat& f = block_format(*dtype_from_name("q4_0"));
  const Rounded odd = rounded(f, feedback, w);
  for (size_t c = 0; c < kColumns; ++c) EXPECT_EQ(std::isnan(odd.fed[c]), c / 32 == 1) << c;
}

// What never came says nothing: no input at all, or fewer than there are columns.
TEST(ErrorFeedback, is_finite_whatever_came) {
  const ErrorFeedback nothing(std::vector<double>(kColumns * kColumns), kColumns);
  const ErrorFeedback one(products_of(inputs(1, 1, 3)), kColumns);
  for (const ErrorFeedback* feedback : {&nothing, &one}) {
    const Rounded r = rounded(block_format(*dtype_from_name("q4_k")), *feedback, normal(kColumns, 2));
    for (const float f : r.fed) EXPECT_TRUE(std::isfinite(f));
  }
}

}  // namespace
}  // namespace lmc
