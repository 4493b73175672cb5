// Mutations that know a little of texts, beside libFuzzer's own: a number becomes another one, as sizes and
// offsets are that mean something to each other; a piece is repeated, or what stands around a piece is, until
// the input is as large as it may be. That makes the inputs which are small themselves and cost much.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace {

using Random = std::minstd_rand;

struct Piece {
  size_t at, size;
};

std::vector<Piece> numbers_in(const std::string& s) {
  std::vector<Piece> out;
  for (size_t i = 0; i < s.size(); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(s[i]))) continue;
    const size_t end = std::min(s.find_first_not_of("0123456789", i), s.size());
    out.push_back({i, end - i});
    i = end;
  }
  return out;
}

std::string other_number(const std::string& text, Random& random) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  static const int64_t ends[] = {0,         1,          2,          63,        64,        65,
                                 1 << 16,   INT32_MAX,  1LL << 31,  1LL << 32, 1LL << 46, 1LL << 47,
                                 1LL << 48, kMost / 64, kMost - 63, kMost};
  const bool small = text.size() < 18;
  const int64_t now = small ? std::stoll(text) : kMost / 2;
  switch (random() % 6) {
    case 0:
      return std::to_string(now + 1);
    case 1:
      return std::to_string(now - 1);
    case 2:
      return std::to_string(now + 64);
    case 3:
      return std::to_string(now * 2);
    case 4:
      return "-" + text;
    default:
      return std::to_string(ends[random() % std::size(ends)]);
  }
}

void change_number(std::string& s, Random& random) {
  const std::vector<Piece> numbers = numbers_in(s);
  if (numbers.empty()) return;
  const Piece n = numbers[random() % numbers.size()], o = numbers[random() % numbers.size()];
  s.replace(n.at, n.size,
            random() % 3 == 0 ? s.substr(o.at, o.size) : other_number(s.substr(n.at, n.size), random));
}

// The piece, k times; or of three pieces the first and the last k times each, around the second: brackets.
void multiply(std::string& s, size_t most, Random& random) {
  if (s.empty()) return;
  constexpr size_t kLongest = 64;
  size_t at = random() % s.size();
  const auto next = [&] {
    const std::string piece = s.substr(at, 1 + random() % kLongest);
    at = std::min(at + piece.size(), s.size());
    return piece;
  };
  const size_t from = at;
  const bool around = random() % 2 == 0;
  const std::string first = next(), middle = around ? next() : "", last = around ? next() : "";
  const size_t room = most > s.size() ? most - s.size() : 0;
  const size_t times = room / (first.size() + last.size() + 1) / (1 + random() % 20);
  std::string many, ends;
  for (size_t i = 0; i < times; ++i) many += first;
  for (size_t i = 0; i < times; ++i) ends += last;
  s.replace(from, at - from, many + middle + ends);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  Random random(seed);
  std::string s(reinterpret_cast<const char*>(data), size);
  const auto way = random() % 64;
  if (way < 2) multiply(s, most, random);
  if (way >= 48) change_number(s, random);
  if ((way >= 2 && way < 48) || s.empty() || s.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, s.data(), s.size());
  return s.size();
}
