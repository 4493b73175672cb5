// How long a user waits for the first token: from starting lmc to the logits of a one-token prompt.
#pragma once

#include <cstdint>
#include <string>

namespace lmc {

struct FirstToken {
  double total = 0;  // seconds from starting a process to its first token
  double load = 0;   // of which: opening the bundle, linking the kernels, building the session
};

// In a process of its own: `lmc bench --first-token BUNDLE`.
FirstToken measure_first_token(const std::string& bundle, int threads);
// What that process does and prints.
void print_first_token(const std::string& bundle, int threads);

// Asks the system to forget the file's pages; returns the share of them that it kept (0: all are gone), or 1
// where it does not say. Pages that some process has mapped stay.
double drop_from_page_cache(const std::string& file);

// Peak memory of this process, mapped weights included, since the last reset (or its start, where the system
// allows no reset).
void reset_peak_memory();
int64_t peak_memory_bytes();

}  // namespace lmc
