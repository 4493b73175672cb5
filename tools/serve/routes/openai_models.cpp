// GET /v1/models and /v1/models/NAME.
#include "tools/serve/routes/openai.h"

namespace lmc::serve::openai_models_route {
namespace {

Json model(const Service& service, const std::string& name) {
  return {{"id", name},
          {"object", "model"},
          {"created", service.created()},
          {"owned_by", "lmc"},
          {"meta",  // as llama.cpp's server has it
           {{"n_vocab", service.plan().vocab},
            {"n_ctx_train", service.plan().context},
            {"n_params", service.bundle_info().parameters},
            {"size", service.weight_bytes()}}}};
}

const RegisterRoute kList(
    {"GET", "/v1/models", Dialect::openai, "the model", {}, [](Service& service, Call& call) {
       call.reply->send(json_response(
           {{"object", "list"}, {"data", Json::array({model(service, service.options().model)})}}));
     }});

const RegisterRoute kOne(
    {"GET", "/v1/models/*", Dialect::openai, "the model, by any name", {}, [](Service& service, Call& call) {
       call.reply->send(json_response(model(service, call.rest)));
     }});

}  // namespace
}  // namespace lmc::serve::openai_models_route
