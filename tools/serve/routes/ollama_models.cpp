// GET /api/tags, /api/ps and /api/version, POST /api/show.
#include "tools/bundle/bundle_format.h"
#include "tools/serve/routes/ollama.h"

namespace lmc::serve::ollama_models_route {
namespace {

Json listed(const Service& service) {
  const std::string name = tagged(service.options().model);
  return {{"name", name},
          {"model", name},
          {"modified_at", utc_time(service.created())},
          {"size", service.weight_bytes()},
          {"digest", service.digest()},
          {"details", details_of(service)}};
}

void tags(Service& service, Call& call) {
  call.reply->send(json_response({{"models", Json::array({listed(service)})}}));
}

void running(Service& service, Call& call) {
  Json one = listed(service);
  one["expires_at"] = "9999-12-31T23:59:59Z";
  one["size_vram"] = 0;
  call.reply->send(json_response({{"models", Json::array({one})}}));
}

void show(Service& service, Call& call) {
  const BundleInfo& i = service.bundle_info();
  Json capabilities = Json::array({"completion"});
  if (service.template_source().find("tools") != std::string::npos) capabilities.push_back("tools");
  const Json info = {{"general.architecture", i.model},
                     {"general.parameter_count", i.parameters},
                     {i.model + ".block_count", i.layers},
                     {i.model + ".context_length", service.plan().context}};
  call.reply->send(json_response({{"modelfile", "FROM " + i.source + "\n"},
                                  {"parameters", ""},
                                  {"template", service.template_source()},
                                  {"details", details_of(service)},
                                  {"model_info", info},
                                  {"capabilities", capabilities},
                                  {"modified_at", utc_time(service.created())}}));
}

const RegisterRoute kTags({"GET", "/api/tags", Dialect::ollama, "the model", {}, tags});
const RegisterRoute kPs({"GET", "/api/ps", Dialect::ollama, "the model, which is loaded", {}, running});
const RegisterRoute kVersion(
    {"GET", "/api/version", Dialect::ollama, "the server's version", {}, [](Service&, Call& call) {
       call.reply->send(json_response({{"version", kLmcVersion}}));
     }});
const RegisterRoute kShow({"POST",
                           "/api/show",
                           Dialect::ollama,
                           "what the model is",
                           {text("model", &Asked::model, "any name: there is one model"),
                            ignored("name", "the same"), ignored("verbose", "there is no more")},
                           show});

}  // namespace
}  // namespace lmc::serve::ollama_models_route
