// GET /: a page to talk with the model, which loads nothing from elsewhere.
#include "tools/html/html_page.h"
#include "tools/serve/route.h"
#include "tools/serve/service.h"

namespace lmc::serve::page_route {
namespace {

void page(Service& service, Call& call) {
  const Json data = {{"model", service.options().model},
                     {"chat", service.has_template()},
                     {"context", service.batcher().context()}};
  Response out{200, filled_page(kServePage, dump(data)), "text/html; charset=utf-8"};
  out.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src "
      "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  call.reply->send(std::move(out));
}

const RegisterRoute kRoute({"GET", "/", Dialect::own, "a page to talk with the model", {}, page, {}, true});

}  // namespace
}  // namespace lmc::serve::page_route
