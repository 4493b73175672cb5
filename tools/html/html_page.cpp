#include "tools/html/html_page.h"

#include <string_view>

namespace lmc {
namespace {

// Inside a script element "</script>" and "<!--" would be read as markup.
std::string for_script(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

void fill(std::string& page, std::string_view hole, const std::string& content) {
  page.replace(page.find(hole), hole.size(), content);
}

}  // namespace

std::string filled_page(const PageParts& parts, const std::string& json) {
  std::string page = parts.html;
  fill(page, "/*STYLE*/", parts.style);
  fill(page, "/*SCRIPT*/", parts.script);
  fill(page, "/*DATA*/", for_script(json));
  return page;
}

}  // namespace lmc
