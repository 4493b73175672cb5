// Redirects: who gets the token, and what is not followed.
#include "tools/hub/url.h"

#include <gtest/gtest.h>

#include "ir/error.h"

namespace lmc {
namespace {

TEST(Url, HasTheSameOriginOnlyWithSchemeHostAndPort) {
  const std::string hub = origin_of("https://hub.co/a/b?c");
  EXPECT_EQ(hub, "https://hub.co:443");
  EXPECT_EQ(origin_of("HTTPS://HUB.co:443"), hub);
  for (const char* other :
       {"http://hub.co/", "https://hub.co:444/", "https://cdn.hub.co/", "https://hub.co.evil.org/",
        "https://hub.co@evil.org/", "https://evil.org/https://hub.co/", "https://evil.org#hub.co"}) {
    EXPECT_NE(origin_of(other), hub) << other;
  }
}

TEST(Url, FollowsRedirectsRelativeOrAbsolute) {
  const std::string from = "https://hub.co/a/resolve/main/x";
  EXPECT_EQ(redirect_target(from, "/api/x?y=1"), "https://hub.co/api/x?y=1");
  EXPECT_EQ(redirect_target(from, "../c0/x"), "https://hub.co/a/resolve/c0/x");
  EXPECT_EQ(redirect_target(from, "https://cdn.org/z"), "https://cdn.org/z");
  EXPECT_EQ(origin_of(redirect_target(from, "//evil.org/z")), "https://evil.org:443");
  EXPECT_EQ(redirect_target("http://hub.co/", "https://hub.co/z"), "https://hub.co/z");
}

TEST(Url, FollowsNoRedirectToFilesOrOutOfHttps) {
  for (const char* location :
       {"", "http://hub.co/x", "file:///etc/passwd", "ftp://hub.co/x", "gopher://x", "https://"})
    EXPECT_THROW(redirect_target("https://hub.co/x", location), Error) << location;
}

TEST(Url, IsShownWithoutSignaturesAndEscapes) {
  EXPECT_EQ(shown_url("https://cdn.org/x\x1b[2J?signature=secret"), "https://cdn.org/x[2J");
  EXPECT_EQ(shown_url(std::string(5000, 'x')).size(), 300u);
}

TEST(Url, EncodesWhatANameMayHold) { EXPECT_EQ(percent_encoded("refs/pr 1?#%"), "refs%2Fpr%201%3F%23%25"); }

}  // namespace
}  // namespace lmc
