// The official test suite of JSON Schema, draft 2020-12, as Debian packages it
// (libtest-json-schema-acceptance-perl): what a schema that is taken calls valid is a text of its grammar,
// and nothing else is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "grammar/json_schema.h"
#include "ir/error.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// A value's texts with the members of its objects in any order: a grammar wants one.
void add_orders(const Json& value, std::vector<Json>& out) {
  constexpr size_t kMost = 800;
  out.clear();
  if (!value.is_structured() || value.empty()) {
    out.push_back(value);
    return;
  }
  std::vector<std::pair<std::string, std::vector<Json>>> parts;
  for (const auto& [key, inner] : value.items()) {
    parts.push_back({key, {}});
    add_orders(inner, parts.back().second);
  }
  std::vector<size_t> order(parts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    std::vector<Json> made = {value.is_array() ? Json::array() : Json::object()};
    for (const size_t i : order) {
      std::vector<Json> next;
      for (const Json& m : made) {
        for (const Json& inner : parts[i].second) {
          next.push_back(m);
          if (value.is_array())
            next.back().push_back(inner);
          else
            next.back()[parts[i].first] = inner;
          if (next.size() + out.size() > kMost) break;
        }
      }
      made = std::move(next);
    }
    out.insert(out.end(), made.begin(), made.end());
  } while (value.is_object() && out.size() < kMost && std::next_permutation(order.begin(), order.end()));
}

bool takes(test::Texts& texts, const Json& value) {
  std::vector<Json> orders;
  add_orders(value, orders);
  return std::any_of(orders.begin(), orders.end(), [&](const Json& j) { return texts.takes(j.dump()); });
}

bool has_number(const Json& value, const std::function<bool(const Json&)>& which) {
  if (value.is_number()) return which(value);
  return value.is_structured() &&
         std::any_of(value.begin(), value.end(), [&](const Json& inner) { return has_number(inner, which); });
}

// Valid, but never written: an integer with a point, a number of more digits than JsonText has, a lone
// surrogate.
bool is_never_written(const Json& value) {
  return has_number(value, [](const Json& n) {
    const std::string text = n.dump();
    return text.ends_with(".0") || text.find("e+") != std::string::npos || text.size() > 17;
  });
}

// Formats know a part of what the standards allow.
bool is_left_out(const std::string& file, const std::string& test) {
  const auto says = [&](const char* words) { return test.find(words) != std::string::npos; };
  if (file == "time.json" || file == "date-time.json") return says("leap second");
  return file == "email.json" && (says("quoted string") || says("address-literal"));
}

struct Counts {
  int schemas = 0, refused = 0, valid = 0, invalid = 0, never_written = 0;
};

void run_file(const fs::path& path, Counts& counts, std::map<std::string, int>& reasons) {
  std::ifstream in(path);
  for (const Json& group : Json::parse(in)) {
    const std::string where = path.filename().string() + ": " + group["description"].get<std::string>();
    ++counts.schemas;
    std::optional<test::Texts> texts;
    try {
      const Grammar g = grammar_of_json_schema(group["schema"].dump(), "s");
      try {
        texts.emplace(g);
      } catch (const Error& e) {
        // Nothing is valid: then no test may say that something is.
        EXPECT_NE(std::string(e.what()).find("no text has an end"), std::string::npos)
            << where << ": " << e.what();
      }
    } catch (const Error& e) {
      ++counts.refused;
      const std::string why = e.what();
      EXPECT_EQ(why.substr(0, 4), "s: #") << where << ": names no place: " << why;
      ++reasons[why.substr(why.find(": ", 4))];
      continue;
    }
    for (const Json& t : group["tests"]) {
      const bool valid = t["valid"].get<bool>();
      const std::string which = where + ": " + t["description"].get<std::string>() + ": " + t["data"].dump();
      const bool taken = texts && takes(*texts, t["data"]);
      if (!valid) {
        ++counts.invalid;
        EXPECT_FALSE(taken) << which;
      } else if (!taken && (is_never_written(t["data"]) ||
                            is_left_out(path.filename().string(), t["description"].get<std::string>()))) {
        ++counts.never_written;
      } else {
        ++counts.valid;
        EXPECT_TRUE(taken) << which;
      }
    }
  }
}

TEST(SchemaSuite, TakesWhatIsValidAndNothingElse) {
  const char* set = std::getenv("LMC_SCHEMA_SUITE");
  const fs::path folder =
      set ? set : "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12";
  if (!fs::is_directory(folder))
    GTEST_SKIP() << "install libtest-json-schema-acceptance-perl (tools/packages tests)";
  Counts counts;
  std::map<std::string, int> reasons;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".json") run_file(file.path(), counts, reasons);
  }
  for (const char* format : {"date", "time", "date-time", "uuid", "ipv4", "ipv6", "email", "hostname",
                             "duration", "uri", "json-pointer"}) {
    const fs::path path = folder / "optional/format" / (std::string(format) + ".json");
    if (fs::exists(path)) run_file(path, counts, reasons);
  }
  for (const auto& [why, n] : reasons) std::printf("%4d%s\n", n, why.substr(0, 150).c_str());
  std::printf("%d schemas, %d refused by name; %d valid and %d invalid values, %d valid ones never written\n",
              counts.schemas, counts.refused, counts.valid, counts.invalid, counts.never_written);
  EXPECT_GE(counts.schemas - counts.refused, 292);
}

}  // namespace
}  // namespace lmc::grammar
