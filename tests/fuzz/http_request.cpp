// What a client sends, before anybody knows what it asks for: requests of HTTP, whole and byte by byte.
#include "fuzz.h"
#include "tools/serve/http/request_reader.h"

namespace {

using namespace lmc::serve;

const HttpLimits kLimits = {.header = 2048, .body = 4096};

// All requests as text, then why it ended.
std::string read_in_pieces(std::string_view text, size_t piece) {
  std::string out;
  RequestReader reader(kLimits);
  try {
    for (size_t at = 0; at < text.size(); at += piece) {
      reader.feed(text.substr(at, piece));
      lmc::fuzz::require(reader.bytes() <= kLimits.body + kLimits.header + piece,
                         "more is kept than the limits say");
      for (; reader.complete(); reader.feed("")) {
        const Request r = reader.take();
        lmc::fuzz::accepted = true;
        lmc::fuzz::require(r.body.size() <= kLimits.body, "the body is too long");
        out += r.method + " " + r.path + "?" + r.query + (r.keep_alive ? " keep" : "") +
               (r.chunks ? " chunks" : "");
        for (const auto& [name, value] : r.headers) {
          lmc::fuzz::require(value.find_first_of("\r\n") == std::string::npos,
                             "a header's value holds a line's end");
          out += "\n" + name + ": " + value;
        }
        out += "\n" + r.body + "\n";
        // What is sent back of it cannot begin another header.
        const std::string head =
            head_of({200, "", "text/plain", {{"X", r.path}, {"Y", r.body}}}, BodyKind::whole, true);
        lmc::fuzz::require(head.find("\r\n\r\n") == head.size() - 4, "an answer's header ends early");
      }
    }
  } catch (const Refused& e) {
    lmc::fuzz::require(e.status >= 400 && e.status < 600, "a refusal without a status");
    out += "refused";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = lmc::fuzz::text(data, std::min<size_t>(size, 20000));
  const std::string whole = read_in_pieces(text, text.size() + 1);
  if (text.size() < 3000) read_in_pieces(text, 1);
  // A limit may be met sooner or later, but what is taken is the same.
  const std::string pieces = read_in_pieces(text, 7);
  if (!whole.ends_with("refused") && !pieces.ends_with("refused"))
    lmc::fuzz::require(whole == pieces, "a request depends on how it comes");
  return 0;
}
