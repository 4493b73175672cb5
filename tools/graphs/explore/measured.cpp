#include "tools/graphs/explore/measured.h"

#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"
#include "tools/machine/figures_json.h"

namespace lmc {

Measured read_profile(const std::string& path) {
  try {
    const auto j = read_ordered_json(path);
    Measured m;
    m.machine = figures_from(j.at("machine"));
    m.position = int64_t{whole_number<uint32_t>(j.at("prompt_tokens"))} +
                 whole_number<uint32_t>(j.at("decode_tokens")) / 2;
    m.about = j.at("model").get<std::string>() + ", " + std::to_string(whole_number<int>(j.at("threads"))) +
              " threads, " + j.at("target").get<std::string>();
    for (const auto& k : j.at("decode").at("kernels")) {
      m.kernels.push_back({k.at("label"), k.at("us_per_call"), k.at("gb_s"), k.at("share_of_read_peak")});
    }
    return m;
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + ": is no profile as lmc profile --json writes it: " + e.what());
  }
}

}  // namespace lmc
