// What a hub answers: the lines of a head, an empty line, a body.
#include "fuzz.h"
#include "ir/error.h"
#include "tools/hub/answers.h"
#include "tools/hub/header_line.h"
#include "tools/hub/url.h"

namespace {

using namespace lmc;

template <class F>
void may_refuse(F f) {
  try {
    f();
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
}

bool stays_below(const std::string& name) {
  const std::string path = "/" + name + "/";
  return !name.empty() && path.find("/../") == path.npos && path.find("/./") == path.npos &&
         path.find("//") == path.npos && path.find('\n') == path.npos;
}

HttpResponse answer_of(std::string_view input) {
  HttpResponse out;
  out.url = "https://hub/api";
  for (size_t at = 0; at < input.size();) {
    const size_t end = std::min(input.find('\n', at), input.size());
    const std::string_view line = input.substr(at, end - at);
    at = std::min(end + 1, input.size());
    if (line.empty() || line == "\r") {
      out.body = input.substr(at);
      break;
    }
    if (line.starts_with("HTTP/") && line.size() > 9)
      out.status = std::atoi(std::string(line.substr(9, 3)).c_str());
    read_header_line(out, line);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const HttpResponse answer = answer_of(fuzz::text(data, size));
  may_refuse([&] {
    const RemoteModel model = model_of(answer);
    fuzz::accepted = true;
    for (const RemoteFile& f : model.files)
      fuzz::require(stays_below(f.name), "a file outside of the model's folder");
  });
  RemoteFile file{"model.safetensors", -1, ""};
  may_refuse([&] {
    describe_file(answer, file);
    fuzz::accepted = true;
    fuzz::require(
        file.size >= 0 && file.size <= int64_t{1} << 44 && (file.hash.size() == 40 || file.hash.size() == 64),
        "a file not described");
  });
  const std::string location = answer.header("location");
  may_refuse([&] {
    const std::string to = redirect_target("https://hub/a/b", location);
    fuzz::require(origin_of(to).starts_with("https://"), "led out of https");
  });
  fuzz::require(shown_url(location).find('?') == std::string::npos, "a signature is shown");
  const Hub hub({"https://hub", "token"}, {"org", "name", "main"},
                {{.times = 0, .gets_on = 1, .cancelled = {}}, 1});
  may_refuse([&] { hub.refuse(answer, "model.safetensors"); });
  may_refuse([&] { with_retries(hub.options().retry, [&] { return answer; }); });
  return 0;
}
