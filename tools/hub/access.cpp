// The environment of huggingface_hub:
// https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "tools/hub/hub.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_yes(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
}

std::string find_token() {
  std::string token = trimmed(variable("HF_TOKEN")), from = "HF_TOKEN";
  if (token.empty()) {
    from = variable("HF_TOKEN_PATH");
    if (from.empty()) from = hub_home() + "/token";
    std::error_code ec;
    if (!std::filesystem::is_regular_file(from, ec)) return "";
    token = trimmed(read_file(from));
  }
  // A line break would end the header it is sent in.
  if (std::any_of(token.begin(), token.end(), [](unsigned char c) { return c <= ' ' || c >= 127; }))
    throw Error(from + ": holds a character that no token has");
  return token;
}

}  // namespace

HubAccess hub_access() {
  if (is_yes(variable("HF_HUB_OFFLINE")))
    throw Error("HF_HUB_OFFLINE is set: nothing is fetched from the network");
  HubAccess out;
  out.endpoint = trimmed(variable("HF_ENDPOINT"));
  if (out.endpoint.empty()) out.endpoint = "https://huggingface.co";
  while (out.endpoint.ends_with('/')) out.endpoint.pop_back();
  if (!out.endpoint.starts_with("https://") && !out.endpoint.starts_with("http://"))
    throw Error("HF_ENDPOINT=" + out.endpoint + ": must start with https:// or http://");
  out.token = find_token();
  return out;
}

}  // namespace lmc
