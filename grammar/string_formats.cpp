#include "grammar/string_formats.h"

#include <functional>
#include <map>

namespace lmc::grammar {
namespace {

const std::string kDate =
    "(\\d{4}-(0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|\\d{4}-(0[469]|11)-(0[1-9]|[12]\\d|30)|"
    "\\d{4}-02-(0[1-9]|1\\d|2[0-8])|"
    "(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
const std::string kTime =
    "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?([Zz]|[+\\-]([01]\\d|2[0-3]):[0-5]\\d)";
const std::string kLabel = "[A-Za-z0-9]([A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?";
const std::string kHostname = kLabel + "(\\." + kLabel + "){0,3}";
const std::string kOctet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const std::string kIpv4 = kOctet + "(\\." + kOctet + "){3}";
const std::string kAtom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-]+";

// RFC 4291, 2.2: eight groups, of which one run may be "::", and the last two may be an IPv4 address.
std::string ipv6() {
  const std::string h = "[0-9A-Fa-f]{1,4}";
  std::string out = "(" + h + ":){7}" + h + "|(" + h + ":){6}" + kIpv4;
  for (int before = 0; before <= 7; ++before) {
    const std::string head = before == 0 ? "" : h + "(:" + h + "){" + std::to_string(before - 1) + "}";
    const int most = 7 - before;  // groups behind
    out += "|" + head + "::";
    if (most > 0) out += "(" + h + "(:" + h + "){0," + std::to_string(most - 1) + "})?";
    if (most >= 2) out += "|" + head + "::(" + h + ":){0," + std::to_string(most - 2) + "}" + kIpv4;
  }
  return "(" + out + ")";
}

// RFC 3986, appendix A.
std::string uri() {
  const std::string escape = "%[0-9A-Fa-f]{2}";
  const std::string safe = "A-Za-z0-9\\-._~!$&'()*+,;=";
  const std::string pchar = "([" + safe + ":@]|" + escape + ")";
  const std::string authority =
      "(([" + safe + ":]|" + escape + ")*@)?(\\[" + ipv6() + "\\]|([" + safe + "]|" + escape + ")*)(:\\d*)?";
  const std::string hier = "(//" + authority + "(/" + pchar + "*)*|/(" + pchar + "+(/" + pchar + "*)*)?|" +
                           pchar + "+(/" + pchar + "*)*)?";
  const std::string tail = "([" + safe + ":@/?]|" + escape + ")*";
  return "[A-Za-z][A-Za-z0-9+.\\-]*:" + hier + "(\\?" + tail + ")?(#" + tail + ")?";
}

// RFC 3339, appendix A.
std::string duration() {
  const std::string time = "T(\\d+H(\\d+M(\\d+S)?)?|\\d+M(\\d+S)?|\\d+S)";
  const std::string date = "(\\d+D|\\d+M(\\d+D)?|\\d+Y(\\d+M(\\d+D)?)?)";
  return "P(" + date + "(" + time + ")?|" + time + "|\\d+W)";
}

const std::map<std::string_view, std::function<std::string()>>& formats() {
  static const std::map<std::string_view, std::function<std::string()>> table = {
      {"date", [] { return kDate; }},
      {"time", [] { return kTime; }},
      {"date-time", [] { return kDate + "[Tt]" + kTime; }},
      {"duration", duration},
      {"email", [] { return kAtom + "(\\." + kAtom + ")*@" + kHostname; }},
      {"hostname", [] { return kHostname; }},
      {"ipv4", [] { return kIpv4; }},
      {"ipv6", ipv6},
      {"uri", uri},
      {"uuid", [] { return std::string("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"); }},
      {"json-pointer", [] { return std::string("(/([^~/]|~[01])*)*"); }},
  };
  return table;
}

}  // namespace

std::optional<std::string> regex_of_format(std::string_view format) {
  const auto it = formats().find(format);
  return it == formats().end() ? std::nullopt : std::optional(it->second());
}

std::string known_formats() {
  std::string out;
  for (const auto& [name, make] : formats()) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

}  // namespace lmc::grammar
