// POST /tokenize, /detokenize and /apply-template: text and tokens, without the model.
#include "tools/serve/chat_prompt.h"
#include "tools/serve/route.h"
#include "tools/serve/service.h"

namespace lmc::serve::llama_cpp_text_route {
namespace {

void tokenize(Service& service, Call& call) {
  const auto ids = service.tokenizer().encode(call.asked.content, call.asked.add_special);
  Json tokens = Json::array();
  for (const int32_t id : ids) {
    tokens.push_back(call.asked.with_pieces ? Json{{"id", id}, {"piece", service.token_text(id)}} : Json(id));
  }
  call.reply->send(json_response({{"tokens", tokens}}));
}

void detokenize(Service& service, Call& call) {
  call.reply->send(json_response({{"content", service.tokenizer().decode(call.asked.ids, false)}}));
}

void apply_template(Service& service, Call& call) {
  call.reply->send(json_response(
      {{"prompt", chat_text(service, call.asked, tools_of(service.template_source(), call.asked))}}));
}

const RegisterRoute kTokenize({"POST",
                               "/tokenize",
                               Dialect::llama_cpp,
                               "the ids of a text",
                               {text("content", &Asked::content, "the text"),
                                flag("add_special", &Asked::add_special,
                                     "with what stands before a text, such as <bos>"),
                                flag("with_pieces", &Asked::with_pieces, "each with its text"),
                                ignored("parse_special", "special tokens in a text are always found")},
                               tokenize});

const RegisterRoute kDetokenize({"POST",
                                 "/detokenize",
                                 Dialect::llama_cpp,
                                 "the text of ids",
                                 {field("tokens", "ids", "the ids",
                                        [](const Json& v, Asked& a) {
                                          if (!v.is_array()) throw RequestError(400, "must be a list of ids");
                                          for (const Json& id : v)
                                            a.ids.push_back(static_cast<int32_t>(whole_in(id, 0, INT32_MAX)));
                                        })},
                                 detokenize});

const RegisterRoute kApply(
    {"POST",
     "/apply-template",
     Dialect::llama_cpp,
     "a conversation as the model's template writes it",
     {any("messages", &Asked::messages, "list", "of role and content"),
      any("tools", &Asked::tools, "list", "functions that the model may call"), template_variables_field(),
      flag("add_generation_prompt", &Asked::answer_next, "up to where the answer begins")},
     apply_template});

}  // namespace
}  // namespace lmc::serve::llama_cpp_text_route
