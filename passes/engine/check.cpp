#include "passes/engine/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

constexpr size_t kRemembered = 3;  // outputs of large models are large

struct Metric {
  const char* name;
  const char* text;  // as CheckResult::str says it
  double CheckBudget::*limit;
  double CheckResult::*value;
  bool at_most;
};

constexpr Metric kMetrics[] = {
    {"abs", "max abs", &CheckBudget::max_abs, &CheckResult::max_abs, true},
    {"rel", "relative", &CheckBudget::max_rel, &CheckResult::max_rel, true},
    {"top1", "same top-1", &CheckBudget::top1, &CheckResult::top1, false},
    {"kl", "KL", &CheckBudget::kl, &CheckResult::kl, true},
    {"sqnr", "SQNR (dB)", &CheckBudget::sqnr_db, &CheckResult::sqnr_db, false},
};

std::string number(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", v);
  return text;
}

// A NaN must not slip through max(); one that was there before is no difference.
double distance(double before, double after) {
  if (before == after || (std::isnan(before) && std::isnan(after))) return 0;
  const double d = std::fabs(before - after);
  return std::isnan(d) ? INFINITY : d;
}

double kl_divergence(const double* p, const double* q, int64_t n) {
  const double p_top = *std::max_element(p, p + n);
  const double q_top = *std::max_element(q, q + n);
  double p_sum = 0;
  double q_sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    p_sum += std::exp(p[i] - p_top);
    q_sum += std::exp(q[i] - q_top);
  }
  double kl = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double log_p = p[i] - p_top - std::log(p_sum);
    const double log_q = q[i] - q_top - std::log(q_sum);
    kl += std::exp(log_p) * (log_p - log_q);
  }
  return std::isnan(kl) ? INFINITY : std::max(kl, 0.0);  // not below 0 by rounding
}

// Top-1 and KL of the rows of the first output that may be logits.
void compare_rows(const Tensor& a, const Tensor& b, CheckResult& result) {
  int64_t same = 0;
  const int64_t n = a.last();
  for (int64_t r = 0; r < a.rows(); ++r) {
    const double* p = a.row(r);
    const double* q = b.row(r);
    same += std::max_element(p, p + n) - p == std::max_element(q, q + n) - q;
    result.kl += kl_divergence(p, q, n) / static_cast<double>(a.rows());
  }
  result.top1 = static_cast<double>(same) / static_cast<double>(a.rows());
}

using TensorList = std::vector<const Tensor*>;

TensorList counted(const std::vector<Tensor>& outputs, bool caches) {
  TensorList out;
  for (const Tensor& t : outputs) {
    if (caches || !is_kv(t.dtype)) out.push_back(&t);
  }
  return out;
}

CheckResult compare_outputs(const TensorList& a, const TensorList& b, const CheckScene& scene) {
  require(a.size() == b.size(), "the number of outputs changed from " + std::to_string(a.size()) + " to " +
                                    std::to_string(b.size()));
  CheckResult result;
  result.tokens = scene.tokens;
  result.where = scene.where;
  double signal = 0;
  double noise = 0;
  for (size_t o = 0; o < a.size(); ++o) {
    const std::vector<double>& x = a[o]->data;
    const std::vector<double>& y = b[o]->data;
    require(a[o]->dims == b[o]->dims, "the shape of output " + std::to_string(o) + " changed");
    double largest = 0;
    double difference = 0;
    const int64_t filled = is_kv(a[o]->dtype) ? scene.held * a[o]->dims[1] * a[o]->dims[2] : 0;
    for (size_t i = 0; i < x.size(); ++i) {
      largest = std::max(largest, std::fabs(x[i]));
      const double d = distance(x[i], y[i]);
      if (i >= static_cast<size_t>(filled)) signal += x[i] * x[i];
      noise += d * d;
      difference = std::max(difference, d);
    }
    result.max_abs = std::max(result.max_abs, difference);
    if (difference > 0)
      result.max_rel = std::max(result.max_rel, largest > 0 ? difference / largest : INFINITY);
  }
  result.sqnr_db = noise == 0                   ? INFINITY
                   : std::isnan(signal / noise) ? -INFINITY
                                                : 10 * std::log10(signal / noise);
  for (size_t o = 0; o < a.size(); ++o) {
    if (a[o]->dtype != DType::f32 || a[o]->data.empty()) continue;
    compare_rows(*a[o], *b[o], result);
    break;
  }
  return result;
}

}  // namespace

std::string CheckResult::str() const {
  char text[200];
  std::snprintf(text, sizeof text, ": max abs %.3g, relative %.3g, SQNR %.1f dB, same top-1 %.0f%%, KL %.3g",
                max_abs, max_rel, sqnr_db, top1 * 100, kl);
  return "T=" + std::to_string(tokens) + where + text;
}

std::string CheckBudget::str() const {
  std::string out;
  for (const Metric& m : kMetrics) {
    if (this->*m.limit == CheckBudget().*m.limit) continue;
    out += (out.empty() ? "" : ",") + std::string(m.name) + "=" + attr_text(this->*m.limit);
  }
  if (!caches) out += out.empty() ? "caches=no" : ",caches=no";
  return out;
}

CheckBudget parse_budget(const std::string& text) {
  CheckBudget out;
  const auto wrong = [&](const std::string& why) { return Error("--check-budget " + text + ": " + why); };
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    const std::string item = text.substr(start, comma - start);
    start = comma + 1;
    const size_t equals = std::min(item.find('='), item.size());
    if (item.starts_with("caches=")) {
      if (item != "caches=yes" && item != "caches=no") throw wrong(item + ": caches is yes or no");
      out.caches = item == "caches=yes";
      continue;
    }
    const auto metric = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                     [&](const Metric& m) { return item.substr(0, equals) == m.name; });
    if (metric == std::end(kMetrics))
      throw wrong("'" + item.substr(0, equals) + "' is none of abs, rel, top1, kl, sqnr, caches");
    if (equals + 1 >= item.size()) throw wrong("'" + item + "' must be METRIC=NUMBER, such as kl=0.01");
    const std::string value = item.substr(equals + 1);
    char* end = nullptr;
    const double limit = std::strtod(value.c_str(), &end);
    if (*end != '\0' || std::isnan(limit)) throw wrong("'" + value + "' is not a number");
    if (metric->at_most && limit < 0) throw wrong(item + ": a limit cannot be negative");
    if (metric->value == &CheckResult::top1 && limit > 1) throw wrong(item + ": top1 is a share, 0 to 1");
    out.*metric->limit = limit;
  }
  return out;
}

std::string exceeded(const CheckBudget& budget, const CheckResult& r) {
  if (std::isinf(r.max_abs)) return "results are no numbers any more";
  std::string out;
  for (const Metric& m : kMetrics) {
    const double limit = budget.*m.limit;
    const double value = r.*m.value;
    if (m.at_most ? value <= limit : value >= limit) continue;
    out += (out.empty() ? "" : ", ") + std::string(m.text) + " " + number(value) +
           (m.at_most ? " > " : " < ") + number(limit);
  }
  return out;
}

std::string inexact(const CheckResult& r) {
  if (r.max_rel <= kExactTolerance) return "";
  return "relative " + number(r.max_rel) + " > " + number(kExactTolerance);
}

namespace {

// Behind the pass specialise: the number of new tokens is no T any more.
bool takes_one_token(const Graph& g) {
  bool one = false;
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    if (!t.dims.empty() && t.dims[0] == kDimT) return false;
    one = one || t == Type{DType::i32, {1}};
  }
  return one;
}

}  // namespace

NumericGate::NumericGate(const Graph& reference, const WeightSource* weights, std::vector<int64_t> tokens)
    : reference_(reference.clone()),
      weights_(weights),
      tokens_(std::move(tokens)),
      context_(context_of(reference)) {
  PositionBorders borders;
  borders.add(reference);
  look_at(borders);
}

// Borders only get more, so graphs compared in a row are seldom evaluated twice.
void NumericGate::look_at(const PositionBorders& borders) {
  if (borders == borders_ && !inputs_.empty()) return;
  borders_ = borders;
  scenes_ = choose_scenes(borders_, context_, tokens_);
  inputs_.clear();
  outputs_.clear();
  for (const CheckScene& s : scenes_.scenes) inputs_.push_back(make_check_inputs(reference_, s));
}

std::shared_ptr<const NumericGate::Outputs> NumericGate::evaluate(const Graph& g) {
  PositionBorders borders = borders_;
  borders.add(g);
  look_at(borders);
  const std::string text = print_graph(g);
  if (const auto known = outputs_.find(text); known != outputs_.end()) return known->second;
  if (outputs_.size() >= kRemembered) outputs_.clear();
  ++evaluations_;
  auto out = std::make_shared<Outputs>();
  const bool one_token = takes_one_token(g);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    out->emplace_back();
    if (one_token && scenes_.scenes[i].tokens > 1) continue;
    out->back() = evaluate_on(g, inputs_[i], scenes_.windows, weights_);
  }
  return outputs_[text] = std::move(out);
}

std::vector<CheckResult> NumericGate::compare(const Graph& before, const Graph& after, bool caches) {
  PositionBorders borders = borders_;
  borders.add(before);
  borders.add(after);
  look_at(borders);
  const std::shared_ptr<const Outputs> a = evaluate(before);
  const std::shared_ptr<const Outputs> b = evaluate(after);
  std::vector<CheckResult> out;
  for (size_t i = 0; i < a->size(); ++i) {
    if ((*a)[i].empty() || (*b)[i].empty()) continue;
    out.push_back(compare_outputs(counted((*a)[i], caches), counted((*b)[i], caches), scenes_.scenes[i]));
  }
  return out;
}

}  // namespace lmc
