// GET /v1/models and /v1/models/NAME; POST /v1/embeddings, which there cannot be yet.
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

const RegisterRoute kEmbeddings(
    {"POST",
     "/v1/embeddings",
     Dialect::openai,
     "not supported: the compiled steps hand out logits, not hidden states",
     {ignored("input", "texts"), ignored("model", "any name"), ignored("encoding_format", "base64 or float"),
      ignored("dimensions", "of the vectors"), ignored("user", "for the caller's own use")},
     [](Service&, Call&) {
       throw RequestError(
           501,
           "embeddings are not supported: a compiled step hands out logits alone; its plan would need "
           "the last hidden states as a second output");
     }});

}  // namespace
}  // namespace lmc::serve::openai_models_route
