// lmc membw: how fast this machine reads and copies, by core, streams and prefetch.
#include "tools/machine/membw.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/machine/statistics.h"
#include "tools/system/files.h"

namespace lmc::membw_command {
namespace fs = std::filesystem;
namespace {

struct Options {
  uint64_t size = uint64_t{1} << 30;
  int threads = 0;
  int repetitions = 3;
  bool json = false;
};

// Memory of this process alone, every page of it written.
class AnonymousMemory {
 public:
  explicit AnonymousMemory(size_t size) : size_(size) {
    void* p = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw Error(fmt::format("cannot get {} of memory", human_bytes(size)));
    data_ = static_cast<std::byte*>(p);
    for (size_t at = 0; at < size; at += 4096) data_[at] = static_cast<std::byte>(at >> 12);
  }
  ~AnonymousMemory() { ::munmap(data_, size_); }
  AnonymousMemory(const AnonymousMemory&) = delete;
  AnonymousMemory& operator=(const AnonymousMemory&) = delete;
  std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_;
  size_t size_;
};

// What is read: a file mapped read-only, as weights are; where there is no room for one, plain memory.
class Source {
 public:
  explicit Source(size_t size) {
    try {
      map_file(size);
    } catch (const std::exception& e) {
      memory_.emplace(size);
      kind_ = fmt::format("anonymous memory ({})", e.what());
    }
  }
  std::span<const std::byte> bytes() const { return file_ ? file_->bytes() : memory_->bytes(); }
  const std::string& kind() const { return kind_; }

 private:
  void map_file(size_t size) {
    const fs::path folder = fs::temp_directory_path();
    if (fs::space(folder).available < size + size / 4)
      throw Error(fmt::format("no room for {} in {}", human_bytes(size), folder.string()));
    const std::string path = (folder / fmt::format("lmc-membw-{}", ::getpid())).string();
    try {
      OutputFile out(path, static_cast<int64_t>(size));
      std::vector<std::byte> block(size_t{1} << 20);
      for (size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 2654435761U >> 13);
      for (size_t at = 0; at < size; at += block.size()) {
        stop_if_interrupted();
        out.write_at(static_cast<int64_t>(at), std::span(block).first(std::min(block.size(), size - at)));
      }
      out.close();
      file_.emplace(path);
    } catch (...) {
      ::unlink(path.c_str());
      throw;
    }
    ::unlink(path.c_str());  // the mapping keeps it
    kind_ = fmt::format("a file in {}, mapped read-only", folder.string());
  }

  std::optional<MappedFile> file_;
  std::optional<AnonymousMemory> memory_;
  std::string kind_;
};

// The medians of all ways of walking, for some cores at once.
struct Series {
  std::string who;   // "cpu 0", "2 threads"
  std::string what;  // "read", "copy"
  std::vector<double> rates;

  size_t best() const {
    return static_cast<size_t>(std::max_element(rates.begin(), rates.end()) - rates.begin());
  }
};

template <class F>
Series measure(const std::string& who, const std::string& what, int repetitions, F&& rate) {
  Series out{who, what, {}};
  std::vector<std::vector<double>> samples(memory_walks().size());
  for (int r = 0; r < repetitions; ++r) {
    for (size_t w = 0; w < samples.size(); ++w) {
      stop_if_interrupted();
      samples[w].push_back(rate(memory_walks()[w]));
    }
  }
  for (const auto& s : samples) out.rates.push_back(median(s));
  return out;
}

std::vector<Series> measure_all(const Options& o, std::span<const std::byte> data, std::span<std::byte> to) {
  const std::vector<int> cpus = cpus_by_core();
  const int threads = o.threads > 0 ? o.threads : static_cast<int>(cpus.size());
  std::vector<Series> out;
  Progress progress("measuring");
  const int64_t total = 2 * (static_cast<int64_t>(cpus.size()) + 1);
  const auto both = [&](const std::string& who, MemoryTeam& team, std::span<const std::byte> from) {
    out.push_back(
        measure(who, "read", o.repetitions, [&](const MemoryWalk& w) { return team.read(from, w); }));
    progress.update(static_cast<int64_t>(out.size()), total);
    out.push_back(
        measure(who, "copy", o.repetitions, [&](const MemoryWalk& w) { return team.copy(from, to, w); }));
    progress.update(static_cast<int64_t>(out.size()), total);
  };
  // Alone, a core walks its share, so that all cores take no longer than one.
  if (threads > 1) {
    for (int cpu : cpus) {
      MemoryTeam team(std::vector<int>{cpu});
      both(fmt::format("cpu {} alone", cpu), team, data.first(data.size() / cpus.size()));
    }
  }
  // Pinned where every thread has a core of its own; else as the system likes.
  const std::string who = fmt::format("{} thread{}", threads, threads == 1 ? "" : "s together");
  if (threads <= static_cast<int>(cpus.size())) {
    MemoryTeam team(std::vector<int>(cpus.begin(), cpus.begin() + threads));
    both(who, team, data);
  } else {
    MemoryTeam team(threads);
    both(who, team, data);
  }
  return out;
}

void print_tables(const std::vector<Series>& all) {
  for (const Series& s : all) {
    fmt::print("{} {}, GB/s\n  streams", s.who, s.what);
    for (size_t w = 0; w < 6; ++w) {
      const int ahead = memory_walks()[w].prefetch_bytes;
      fmt::print("{:>10}", ahead == 0 ? "none" : fmt::format("{} KB", ahead / 1024));
    }
    for (size_t w = 0; w < s.rates.size(); ++w) {
      if (w % 6 == 0) fmt::print("\n  {:>7}", memory_walks()[w].streams);
      fmt::print("{:>10.1f}", s.rates[w] / 1e9);
    }
    fmt::print("\n");
  }
}

nlohmann::ordered_json to_json(const Series& s) {
  nlohmann::ordered_json out = {{"who", s.who}, {"what", s.what}, {"best_gb_s", s.rates[s.best()] / 1e9}};
  for (size_t w = 0; w < s.rates.size(); ++w) {
    const MemoryWalk& walk = memory_walks()[w];
    out["walks"].push_back(
        {{"streams", walk.streams}, {"prefetch_bytes", walk.prefetch_bytes}, {"gb_s", s.rates[w] / 1e9}});
  }
  return out;
}

void run(const Options& o) {
  const Source source(o.size);
  const AnonymousMemory to(o.size);
  const std::vector<Series> all = measure_all(o, source.bytes(), to.bytes());
  const Series& read = all[all.size() - 2];
  const Series& copy = all.back();
  const MemoryWalk& best = memory_walks()[read.best()];
  const bool in_cache = static_cast<int64_t>(o.size) <= 2 * last_level_cache_bytes();
  if (o.json) {
    nlohmann::ordered_json out = {{"read_bandwidth_gb_s", read.rates[read.best()] / 1e9},
                                  {"streams", best.streams},
                                  {"prefetch_bytes", best.prefetch_bytes},
                                  {"copy_bandwidth_gb_s", copy.rates[copy.best()] / 1e9},
                                  {"bytes", o.size},
                                  {"memory", source.kind()},
                                  {"fits_in_cache", in_cache},
                                  {"series", nlohmann::ordered_json::array()}};
    for (const Series& s : all) out["series"].push_back(to_json(s));
    fmt::print("{}\n", out.dump());
    return;
  }
  fmt::print("{} of {}; rows: streams per thread, columns: prefetch; medians of {}\n", human_bytes(o.size),
             source.kind(), o.repetitions);
  print_tables(all);
  for (const Series& s : all)
    fmt::print("best {:<5} {:<20} {:.1f} GB/s\n", s.what, s.who, s.rates[s.best()] / 1e9);
  fmt::print("read bandwidth {:.1f} GB/s ({} streams per thread, {} KB prefetch)\n",
             read.rates[read.best()] / 1e9, best.streams, best.prefetch_bytes / 1024);
  if (in_cache) {
    fmt::print("this is the cache's speed in part: the last level holds {}; use --size 1G or more\n",
               human_bytes(static_cast<double>(last_level_cache_bytes())));
  }
}

const RegisterCommand kMembw(
    {"membw", "measure how fast memory is read and copied", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("--size", o->size, "bytes to walk: 256M, 1G, 4G (default: 1G)")
           .byte_size(uint64_t{1} << 20, uint64_t{1} << 40);
       add_threads_flag(flags, o->threads);
       flags.option("-r,--repetitions", o->repetitions, "samples of each").range(1, 1000).shows_default();
       flags.flag("--json", o->json, "print one JSON object");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::membw_command
