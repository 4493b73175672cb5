#include "tools/graphs/explore/bundle_report.h"

#include "ir/error.h"
#include "models/text/json_text.h"
#include "tools/build/quant_report.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

// The fields of `like`, each of the kind it has there: where the page expects a number it does not look for
// markup.
Json fields_like(const Json& like, const Json& given) {
  Json out;
  for (const auto& [name, sample] : like.items()) {
    const Json& value = given.at(name);
    const bool same = sample.is_number() ? value.is_number() : sample.type() == value.type();
    if (!same) throw Error("'" + name + "' is " + value.type_name() + ", expected " + sample.type_name());
    out[name] = value;
  }
  return out;
}

}  // namespace

BundleReport read_report(const std::string& path) {
  const Json report = read_ordered_json(path);
  BundleReport out;
  try {
    const Json pass_like = pass_json({}), entry_like = ledger_json({}, {});
    for (const Json& pass : report.at("passes")) out.passes.push_back(fields_like(pass_like, pass));
    for (const Json& entry : report.at("quantization")) {
      out.ledger.push_back(fields_like(entry_like, entry));
      const auto sqnr = entry.find("sqnr_db");
      if (sqnr != entry.end() && sqnr->is_number()) out.ledger.back()["sqnr_db"] = *sqnr;
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + ": " + e.what());
  } catch (const Error& e) {
    throw Error(path + ": " + e.what());
  }
  return out;
}

}  // namespace lmc
