#include "tools/measure/bench/first_token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "ir/descriptor.h"
#include "tools/generate/engine.h"
#include "tools/system/child.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

// Of the clock that all processes share.
double system_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double resident_share(const MappedFile& file) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((file.bytes().size() + page - 1) / page);
  if (pages.empty()) return 0;
  void* start = const_cast<std::byte*>(file.bytes().data());
  if (::mincore(start, file.bytes().size(), pages.data()) != 0) return 1;
  size_t resident = 0;
  for (unsigned char p : pages) resident += p & 1U;
  return static_cast<double>(resident) / static_cast<double>(pages.size());
}

}  // namespace

FirstToken measure_first_token(const std::string& bundle, int threads) {
  std::vector<std::string> arguments = {"bench", "--first-token", bundle};
  if (threads > 0) arguments.insert(arguments.end(), {"-t", std::to_string(threads)});
  const double start = system_seconds();
  const auto answer = nlohmann::json::parse(run_lmc(arguments));
  return {answer.at("first_token_at").get<double>() - start, answer.at("load_seconds").get<double>()};
}

void print_first_token(const std::string& bundle, int threads) {
  const double start = system_seconds();
  Engine engine(bundle, {.threads = threads});
  const double loaded = system_seconds();
  engine.session().step(std::vector<int32_t>{1});
  // Not the time it takes to end: unmapping gigabytes is nothing that a user waits for.
  fmt::print("{{\"load_seconds\":{:.9f},\"first_token_at\":{:.9f}}}\n", loaded - start, system_seconds());
}

double drop_from_page_cache(const std::string& file) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return 1;
  ::fdatasync(fd.get());  // pages not yet written to the disk would stay
  const int failed = ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  return failed != 0 ? 1 : resident_share(MappedFile(file));
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace lmc
