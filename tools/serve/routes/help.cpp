// GET /help: every route and its fields, from the table they are read by.
#include <fmt/format.h>

#include "tools/serve/route.h"
#include "tools/serve/service.h"

namespace lmc::serve::help_route {
namespace {

const char* heading(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return "OpenAI (a field that is not listed is refused)";
    case Dialect::llama_cpp:
      return "llama.cpp (a field that is not listed is ignored)";
    case Dialect::ollama:
      return "Ollama (a field that is not listed is ignored)";
    default:
      return "lmc";
  }
}

void help(Service& service, Call& call) {
  std::string out = fmt::format("lmc serve: {}\n", service.options().model);
  Dialect last = Dialect::own;
  bool first = true;
  for (const Route* r : all_routes()) {
    if (first || r->dialect != last) out += fmt::format("\n{}\n", heading(r->dialect));
    first = false;
    last = r->dialect;
    out += fmt::format("\n  {} {}\n    {}\n", r->method, r->path, r->doc);
    for (const Field& f : r->fields)
      out += fmt::format("      {:<24} {:<12} {}{}\n", f.name, f.type, f.read ? "" : "ignored: ", f.doc);
  }
  call.reply->send({200, out, "text/plain; charset=utf-8"});
}

const RegisterRoute kRoute({"GET", "/help", Dialect::own, "this page", {}, help, {}, true});

}  // namespace
}  // namespace lmc::serve::help_route
