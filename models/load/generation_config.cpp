#include "models/load/generation_config.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/load/token_ids.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

using nlohmann::json;

class GenerationValues {
 public:
  GenerationValues(const json& all, const std::string& file) : all_(all), file_(file) {}

  bool draws() const {
    const json* const j = find("do_sample");
    if (j && !j->is_boolean()) refuse("do_sample", "true or false", *j);
    return j && j->get<bool>();
  }

  std::optional<double> number(const char* key, double least, double most) const {
    const json* const j = find(key);
    if (!j) return std::nullopt;
    const double x = j->is_number() ? j->get<double>() : NAN;
    if (!(x >= least && x <= most))
      refuse(key, "a number from " + json(least).dump() + " to " + json(most).dump(), *j);
    return x;
  }

 private:
  const json* find(const char* key) const {
    const auto it = all_.find(key);
    return it == all_.end() || it->is_null() ? nullptr : &*it;
  }

  [[noreturn]] void refuse(const char* key, const std::string& expected, const json& found) const {
    throw Error(file_ + ": " + key + " must be " + expected + ", but is " +
                found.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 40));
  }

  const json& all_;
  const std::string& file_;
};

std::map<std::string, double> sampling_in(const GenerationValues& values) {
  constexpr double kHottest = 1000, kMostTopK = 1 << 30;
  std::map<std::string, double> out;
  const auto take = [&](const char* key, std::optional<double> value, double without_effect) {
    if (value && *value != without_effect) out[key] = *value;
  };
  take("repetition_penalty", values.number("repetition_penalty", 0.01, 100), 1);
  const double temperature = values.number("temperature", 0, kHottest).value_or(1);
  if (!values.draws() || temperature == 0) return out;
  out["temperature"] = temperature;
  take("top_k", std::floor(values.number("top_k", 0, kMostTopK).value_or(50)), 0);
  take("top_p", values.number("top_p", 0, 1), 1);
  take("min_p", values.number("min_p", 0, 1), 0);
  return out;
}

struct GgufSampling {
  const char* key;
  const char* setting;
  double least, most, without_effect;
};
constexpr GgufSampling kGgufSampling[] = {{"temp", "temperature", 0, 1000, 0},
                                          {"top_k", "top_k", -1, 1 << 30, 0},
                                          {"top_p", "top_p", 0, 1, 1},
                                          {"min_p", "min_p", 0, 1, 0},
                                          {"penalty_repeat", "repetition_penalty", 0.01, 100, 1}};

// 0.6, of which 32 bits make 0.60000002384185791.
double as_written(float x) {
  char text[32];
  const auto [end, ec] = std::to_chars(text, text + sizeof text, x);
  double out = x;
  std::from_chars(text, end, out);
  return out;
}

}  // namespace

std::vector<std::pair<std::string, double>> sampling_as_gguf(const std::map<std::string, double>& sampling) {
  std::vector<std::pair<std::string, double>> out;
  for (const GgufSampling& s : kGgufSampling) {
    const auto it = sampling.find(s.setting);
    if (it != sampling.end()) out.emplace_back(std::string("general.sampling.") + s.key, it->second);
  }
  return out;
}

// Without a temperature nothing is drawn, so the rest says nothing.
std::map<std::string, double> gguf_sampling(const GgufFile& file) {
  std::map<std::string, double> out;
  for (const GgufSampling& s : kGgufSampling) {
    const std::string key = std::string("general.sampling.") + s.key;
    const GgufValue* const v = file.find(key);
    if (!v) continue;
    const auto whole = v->integer();
    double x = whole ? static_cast<double>(*whole) : v->real().value_or(NAN);
    if (!(x >= s.least && x <= s.most))
      throw Error(file.path() + ": " + key + " must be a number from " + json(s.least).dump() + " to " +
                  json(s.most).dump());
    if (!whole) x = as_written(static_cast<float>(x));
    if (x != s.without_effect && x >= 0) out[s.setting] = std::string(s.key) == "top_k" ? std::floor(x) : x;
  }
  return out.contains("temperature") ? out : std::map<std::string, double>();
}

GenerationConfig read_generation_config(const std::string& file) {
  const json all = read_json(file);
  GenerationConfig out;
  if (!all.is_object()) return out;
  if (all.contains("eos_token_id"))
    out.eos_ids = token_ids_in(all.at("eos_token_id"), file + ": eos_token_id");
  out.sampling = sampling_in(GenerationValues(all, file));
  return out;
}

}  // namespace lmc
