// Self-contained HTML pages: edited as HTML, CSS and JavaScript in a folder, compiled in
// (tools/CMakeLists.txt), and filled with JSON.
#pragma once

#include <string>

namespace lmc {

struct PageParts {
  const char* html;  // with /*STYLE*/, /*SCRIPT*/ and /*DATA*/ to fill in
  const char* style;
  const char* script;
};

extern const PageParts kProfilePage;
extern const PageParts kExplorePage;
extern const PageParts kServePage;

std::string filled_page(const PageParts& parts, const std::string& json);

}  // namespace lmc
