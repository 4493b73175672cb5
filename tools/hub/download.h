// One file of a model into the cache: resumed, checked, and only then there.
#pragma once

#include <functional>
#include <string>

#include "tools/hub/hub.h"

namespace lmc {

struct Download {
  const Hub& hub;
  std::string commit;
  const RemoteFile& file;                // described
  std::string blob;                      // where it shall be; "….incomplete" until then
  std::function<void(int64_t)> arrived;  // bytes of the file that are there more (or less) than before
};

// Bytes of the file that are there already, whole or in part.
int64_t bytes_there(const std::string& blob, const RemoteFile& file);

// Error naming the file; Interrupted. What has come by then is kept for the next call.
void download(HttpClient& client, const Download& d);

}  // namespace lmc
