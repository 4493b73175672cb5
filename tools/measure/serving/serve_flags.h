// The options of `lmc bench --serve`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli/flags.h"
#include "tools/measure/serving/server_speed.h"

namespace lmc {

struct ServeFlags {
  bool wanted = false;
  std::string url, key_file, requests;
  int clients = 0;  // once the command line is read: 1 or more
  double rate = 0;
  int64_t count = 0;  // 0: the file's, or four for each client

  // UsageError for one that was given without --serve.
  void check_unused() const;
  // Of the file, or of each pair of these lengths; again from the beginning where --count is more. Error for
  // a file that cannot be used, UsageError for a length of 0.
  Traffic traffic(const std::vector<int64_t>& prompts, const std::vector<int64_t>& answers) const;
  // Of --url and --api-key-file.
  ServerTarget target() const;
};

void add_serve_flags(Flags& flags, ServeFlags& values);

}  // namespace lmc
