// Kernels of recurrent states: against the evaluator, with the same bits in any step, on every target.
#include <gtest/gtest.h>

#include <cmath>

#include "agreement.h"
#include "codegen/target.h"

namespace lmc::recurrence_test {
namespace {

struct Shape {
  int64_t heads, groups, keys, values, tokens;
  bool gain = false, skip = false, delta = false;
};

// Decay and gain are sigmoids; keys have a length of 1, so that with the delta rule no state grows beyond all
// bounds.
std::string recurrence(const Shape& s) {
  const int64_t q = s.groups * s.keys, v = s.heads * s.values;
  const std::string attrs = s.delta ? " {delta=1}" : "";
  const std::string more = std::string(s.gain || s.skip ? ", %gain" : "") + (s.skip ? ", @skip" : "");
  return model(2 * q + v + 2 * s.heads,
               "  weight @one : f32[" + num(s.keys) + "]\n" +
                   (s.skip ? "  weight @skip : bf16[" + num(s.heads) + "]\n" : ""),
               "  %v, %k, %q, %d, %g = split(%x) {sizes=[" + num(v) + "," + num(q) + "," + num(q) + "," +
                   num(s.heads) + "," + num(s.heads) + "]}\n  %qh = reshape(%q) {shape=[" + num(s.groups) +
                   "," + num(s.keys) + "]}\n  %kr = reshape(%k) {shape=[" + num(s.groups) + "," +
                   num(s.keys) + "]}\n  %kn = rms_norm(%kr, @one) {eps=1e-3}\n  %kh = scale(%kn) {by=" +
                   std::to_string(1 / std::sqrt(static_cast<double>(s.keys))) +
                   "}\n  %vh = reshape(%v) {shape=[" + num(s.heads) + "," + num(s.values) +
                   "]}\n  %decay = sigmoid(%d)\n" + (more.empty() ? "" : "  %gain = sigmoid(%g)\n") +
                   "  %state1, %yh = linear_recurrence(%state, %qh, %kh, %vh, %decay, %pos" + more + ")" +
                   attrs + "\n  %y = reshape(%yh) {shape=[" + num(v) + "]}\n",
               "%y", ", %state: state_f32[" + num(s.heads) + "," + num(s.keys * s.values) + "]");
}

// Heads alone and many, sharing keys and not; columns that are whole blocks, less than one, and both; rows
// that are no multiple of what is summed at a time.
TEST(Recurrence, kernels_agree) {
  for (const Shape& s :
       {Shape{1, 1, 1, 1, 5}, Shape{1, 1, 16, 16, 60, true}, Shape{4, 2, 13, 20, 200, true, true},
        Shape{12, 3, 24, 16, 40, true, true}, Shape{16, 1, 128, 64, 20, true, true},
        Shape{9, 9, 6, 33, 100, true}, Shape{3, 3, 7, 5, 100}})
    expect_agreement(recurrence(s), s.tokens, 2e-5);
}

TEST(Recurrence, the_delta_rule_agrees) {
  for (const Shape& s :
       {Shape{1, 1, 3, 1, 30, true, false, true}, Shape{4, 2, 32, 32, 150, true, false, true},
        Shape{10, 5, 21, 40, 60, true, true, true}, Shape{2, 1, 128, 128, 20, true, false, true}})
    expect_agreement(recurrence(s), s.tokens, 5e-5);
}

TEST(Recurrence, agrees_on_every_target) {
  for (const Target* target : targets_here()) {
    expect_agreement(recurrence({6, 2, 20, 40, 50, true, true}), 50, 2e-5, target->name());
    expect_agreement(recurrence({6, 2, 20, 40, 50, true, false, true}), 50, 5e-5, target->name());
  }
}

// From where exp is nothing to where it is all.
TEST(Recurrence, softplus_sigmoid_and_exp_agree) {
  for (const char* by : {"1", "10", "200"}) {
    const std::string body = std::string("  %w = scale(%x) {by=") + by +
                             "}\n  %p = softplus(%w)\n  %s = sigmoid(%w)\n  %n = scale(%p) {by=-1}\n"
                             "  %e = exp(%n)\n  %ps = add(%p, %s)\n  %y = add(%ps, %e)\n";
    expect_agreement(model(40, "", body), 11, 1e-6);
  }
}

}  // namespace
}  // namespace lmc::recurrence_test
