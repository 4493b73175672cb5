// Runs a fuzz target without libFuzzer: every file given (folders: every file in them), then seeded random
// mutations of those.   fuzz_NAME [--mutations N] [--seed S] [--only I] FILE…
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr unsigned kSecondsPerInput = 30;  // more is a hang

std::string current;  // what runs, for the message of a crash
bool show = false;    // --only: print the input itself

void run(const std::string& input, const std::string& what) {
  current = what;
  if (show) std::fprintf(stderr, "%s\n%s\n", what.c_str(), input.c_str());
  ::alarm(kSecondsPerInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  ::alarm(0);
}

void on_crash(int signal) {
  const char* const text = signal == SIGALRM ? "\nhangs: " : "\ncrashed: ";
  (void)!::write(2, text, std::strlen(text));
  (void)!::write(2, current.data(), current.size());
  (void)!::write(2, "\n", 1);
  std::_Exit(1);
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  for (const std::string& p : paths) {
    if (!fs::is_directory(p)) {
      out.push_back(p);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& e : fs::directory_iterator(p)) inside.push_back(e.path().string());
    std::sort(inside.begin(), inside.end());
    out.insert(out.end(), inside.begin(), inside.end());
  }
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "%s: cannot open\n", path.c_str());
    std::exit(2);
  }
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// One to four edits: of bytes, of ranges, of words and numbers, splices with another seed.
std::string mutated(std::string s, const std::vector<std::string>& seeds, std::mt19937& random) {
  static const char* const words[] = {"0",
                                      "1",
                                      "-1",
                                      "9223372036854775807",
                                      "4294967296",
                                      "1e308",
                                      "nan",
                                      "T",
                                      "[]",
                                      "{}",
                                      "(",
                                      "\"",
                                      "%x",
                                      "@w",
                                      ":",
                                      "\n",
                                      "null",
                                      "true",
                                      ",",
                                      "=",
                                      "99999999999999999999",
                                      "--",
                                      "|",
                                      "$x",
                                      "*"};
  const auto upto = [&](size_t n) { return n == 0 ? 0 : static_cast<size_t>(random()) % n; };
  for (size_t edits = 1 + upto(4); edits > 0; --edits) {
    const size_t at = upto(s.size() + 1);
    const size_t length = upto(std::min<size_t>(s.size() - at, upto(2) == 0 ? 4 : 60) + 1);
    switch (upto(7)) {
      case 0:
        if (at < s.size()) s[at] = static_cast<char>(random());
        break;
      case 1:
        s.erase(at, length);
        break;
      case 2:
        s.insert(at, s.substr(upto(s.size() + 1), length));
        break;
      case 3:
        s.replace(at, length, words[upto(std::size(words))]);
        break;
      case 4: {  // a number becomes another one
        const size_t digit = s.find_first_of("0123456789", at);
        if (digit == std::string::npos) break;
        const size_t end = std::min(s.find_first_not_of("0123456789", digit), s.size());
        s.replace(digit, end - digit, words[upto(5)]);
        break;
      }
      case 5: {  // two lines change places, or one is doubled
        const size_t line = s.rfind('\n', at) + 1;
        const size_t next = std::min(s.find('\n', at), s.size() - 1) + 1;
        if (next <= line || next > s.size()) break;
        s.insert(upto(2) == 0 ? next : s.rfind('\n', upto(s.size())) + 1, s.substr(line, next - line));
        break;
      }
      default: {
        const std::string& other = seeds[upto(seeds.size())];
        s = s.substr(0, at) + other.substr(upto(other.size() + 1));
      }
    }
  }
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  size_t mutations = 0;
  unsigned seed = 1;
  long only = -1;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (i + 1 < argc && a == "--mutations") {
      mutations = std::strtoul(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && a == "--seed") {
      seed = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else if (i + 1 < argc && a == "--only") {
      only = std::strtol(argv[++i], nullptr, 10);
      show = true;
    } else {
      paths.push_back(a);
    }
  }
  for (int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL, SIGALRM}) std::signal(signal, on_crash);
  std::vector<std::string> seeds;
  for (const std::string& f : files_of(paths)) {
    seeds.push_back(read(f));
    lmc::fuzz::accepted = false;
    run(seeds.back(), f);
    if (std::filesystem::path(f).filename().string().starts_with("good-") && !lmc::fuzz::accepted) {
      std::fprintf(stderr, "%s: is refused, and so reaches nothing\n", f.c_str());
      return 1;
    }
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds given\n");
    return 2;
  }
  for (size_t i = 0; i < mutations; ++i) {
    std::mt19937 random(static_cast<unsigned>(seed * 1000003U + i));
    const std::string input = mutated(seeds[i % seeds.size()], seeds, random);
    if (only < 0 || static_cast<size_t>(only) == i)
      run(input, "--seed " + std::to_string(seed) + " --mutations " + std::to_string(i + 1) + " --only " +
                     std::to_string(i));
  }
  std::printf("%zu seeds, %zu mutations\n", seeds.size(), mutations);
  return 0;
}
