#include "tools/measure/serving/traffic.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ir/error.h"
#include "models/text/json_text.h"
#include "runtime/random.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

constexpr int64_t kMostTokens = int64_t{1} << 30;
constexpr size_t kMostRequests = 1 << 20;
constexpr uint64_t kSeed = 0x6c6d63;

int64_t count_in(const nlohmann::json& line, const char* key, int64_t least, int64_t most) {
  const auto it = line.find(key);
  const bool there = it != line.end() && it->is_number_unsigned();
  if (!there || it->get<uint64_t>() > static_cast<uint64_t>(most) || it->get<int64_t>() < least)
    throw Error("'" + std::string(key) + "' must be a whole number from " + std::to_string(least) + " to " +
                std::to_string(most));
  return it->get<int64_t>();
}

TrafficRequest request_in(const std::string& text, const std::string& file) {
  const nlohmann::json line = parse_json(text, file, true);
  if (!line.is_object()) throw Error("is not {\"prompt_tokens\": …, \"answer_tokens\": …}");
  for (const auto& [key, value] : line.items()) {
    if (key != "prompt_tokens" && key != "answer_tokens" && key != "shared_tokens")
      throw Error("'" + key + "' is none of prompt_tokens, answer_tokens and shared_tokens");
  }
  TrafficRequest out;
  out.prompt = count_in(line, "prompt_tokens", 1, kMostTokens);
  out.answer = count_in(line, "answer_tokens", 1, kMostTokens);
  if (line.contains("shared_tokens")) out.shared = count_in(line, "shared_tokens", 0, out.prompt);
  return out;
}

}  // namespace

std::vector<TrafficRequest> read_traffic(const std::string& file) {
  return traffic_in(read_input(file), file);
}

std::vector<TrafficRequest> traffic_in(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  std::vector<TrafficRequest> out;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    if (out.size() == kMostRequests)
      throw Error(Location{file, number}, "is one request more than " + std::to_string(kMostRequests));
    try {
      out.push_back(request_in(line, "the line"));
    } catch (const Error& e) {
      throw Error(Location{file, number}, e.what());
    }
  }
  if (out.empty()) throw Error(file + ": holds no requests");
  return out;
}

std::vector<double> arrivals(int64_t count, double rate) {
  Random random(kSeed);
  std::vector<double> out;
  for (double at = 0; static_cast<int64_t>(out.size()) < count;) {
    out.push_back(at);
    if (rate > 0) at -= std::log1p(-random.uniform()) / rate;
  }
  return out;
}

std::vector<int32_t> prompt_of(const TrafficRequest& request, int64_t index, int64_t vocab) {
  const auto most = static_cast<uint64_t>(vocab);
  Random shared(kSeed), own(kSeed + 2 + static_cast<uint64_t>(index));
  std::vector<int32_t> out;
  for (int64_t i = 0; i < request.prompt; ++i)
    out.push_back(static_cast<int32_t>((i < request.shared ? shared : own).below(most)));
  return out;
}

}  // namespace lmc
