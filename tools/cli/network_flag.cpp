#include "tools/cli/network_flag.h"

#include <charconv>
#include <cmath>
#include <map>

#include "tools/cli/console.h"

namespace lmc {
namespace {

using Units = std::map<std::string, double>;

double parse(const std::string& item, const std::string& text, const Units& units) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  const auto unit = units.find(std::string(read.ptr, end));
  if (read.ec == std::errc() && unit != units.end() && std::isfinite(number) && number >= 0)
    return number * unit->second;
  std::string known;
  for (const auto& [name, factor] : units) known += (known.empty() ? "" : ", ") + name;
  throw UsageError("--network: " + item + " must be a number and one of " + known + ", found '" + text + "'");
}

}  // namespace

NetworkFigures parse_network(const std::string& text) {
  static const Units kSeconds = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
  static const Units kBytes = {{"Mb", 1e6 / 8}, {"Gb", 1e9 / 8}, {"MB", 1e6}, {"GB", 1e9}};
  NetworkFigures out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    const size_t equals = std::min(word.find('='), word.size());
    const std::string item = word.substr(0, equals);
    const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
    if (item == "latency") {
      out.latency = parse(item, value, kSeconds);
    } else if (item == "message") {
      out.message = parse(item, value, kSeconds);
    } else if (item == "bandwidth") {
      out.bandwidth = parse(item, value, kBytes);
    } else {
      throw UsageError("--network takes latency=, bandwidth= and message=, found '" + word + "'");
    }
  }
  if (out.bandwidth == 0) throw UsageError("--network: a bandwidth of 0 sends nothing");
  return out;
}

}  // namespace lmc
