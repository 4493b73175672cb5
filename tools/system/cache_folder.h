// The folder of what lmc keeps between runs for this user: compiled kernels, this machine's figures.
#pragma once

#include <string>

namespace lmc {

// $LMC_CACHE_DIR, else $XDG_CACHE_HOME/lmc, else ~/.cache/lmc, made for this user alone (0700) if it is not
// there; "" if none of them is set. Also "", with the reason on stderr once, for a folder that another user
// owns or may write to: what lies there is machine code.
std::string cache_folder();

// Why files below `path` may come from somebody else: "belongs to another user", "may be written by others";
// "" if not. Root, this user and its own group (Debian gives everybody one, and some set their umask to 002)
// are nobody else.
std::string others_may_write(const std::string& path);

}  // namespace lmc
