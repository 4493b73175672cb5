// The files under tools/profile/page, compiled in.
#pragma once

namespace lmc {

extern const char* const kPageHtml;
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace lmc
