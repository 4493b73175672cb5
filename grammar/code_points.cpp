#include "grammar/code_points.h"

#include <algorithm>
#include <map>

namespace lmc::grammar {
namespace {

constexpr uint32_t kFirstSurrogate = 0xd800, kLastSurrogate = 0xdfff;

// The ways to write `first` … `last`, both of as many bytes, whose bytes before `at` are the same.
void add_ways(const std::string& first, const std::string& last, size_t at, std::vector<ByteSet> before,
              std::vector<std::vector<ByteSet>>& out) {
  const auto lo = static_cast<uint8_t>(first[at]), hi = static_cast<uint8_t>(last[at]);
  if (at + 1 == first.size() || lo == hi) {
    before.push_back(ByteSet::range(lo, hi));
    if (at + 1 == first.size()) return out.push_back(std::move(before));
    return add_ways(first, last, at + 1, std::move(before), out);
  }
  const size_t rest = first.size() - at - 1;
  const auto is_end = [&](const std::string& s, char end) {
    return std::all_of(s.begin() + static_cast<ptrdiff_t>(at) + 1, s.end(),
                       [end](char c) { return c == end; });
  };
  const bool low_whole = is_end(first, '\x80'), high_whole = is_end(last, '\xbf');
  const auto branch = [&](uint8_t byte, const std::string& from, const std::string& to) {
    std::vector<ByteSet> way = before;
    way.push_back(ByteSet::of(byte));
    add_ways(from, to, at + 1, std::move(way), out);
  };
  const std::string head = first.substr(0, at + 1);
  if (!low_whole) branch(lo, first, head + std::string(rest, '\xbf'));
  const int from = lo + (low_whole ? 0 : 1), to = hi - (high_whole ? 0 : 1);
  if (from <= to) {
    before.push_back(ByteSet::range(static_cast<uint8_t>(from), static_cast<uint8_t>(to)));
    std::vector<ByteSet> whole = before;
    for (size_t i = 0; i < rest; ++i) whole.push_back(ByteSet::range(0x80, 0xbf));
    out.push_back(std::move(whole));
    before.pop_back();
  }
  if (!high_whole) branch(hi, head + std::string(rest, '\x80'), last);
}

}  // namespace

void CodePoints::add(uint32_t first, uint32_t last) {
  last = std::min(last, kLast);
  if (first > last) return;
  if (first < kFirstSurrogate && last >= kFirstSurrogate) {
    add(first, kFirstSurrogate - 1);
    return add(kFirstSurrogate, last);
  }
  if (first >= kFirstSurrogate && first <= kLastSurrogate) {
    if (last <= kLastSurrogate) return;
    first = kLastSurrogate + 1;
  }
  ranges_.emplace_back(first, last);
  settled_ = false;
}

void CodePoints::settle() const {
  if (settled_) return;
  std::sort(ranges_.begin(), ranges_.end());
  size_t kept = 0;
  for (const auto& [first, last] : ranges_) {
    if (kept > 0 && first <= ranges_[kept - 1].second + 1) {
      ranges_[kept - 1].second = std::max(ranges_[kept - 1].second, last);
    } else {
      ranges_[kept++] = {first, last};
    }
  }
  ranges_.resize(kept);
  settled_ = true;
}

CodePoints CodePoints::operator~() const {
  CodePoints out;
  uint32_t next = 0;
  for (const auto& [first, last] : ranges()) {
    if (first > next) out.add(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

std::vector<std::vector<ByteSet>> utf8_ways(const CodePoints& points) {
  static constexpr std::pair<uint32_t, uint32_t> kLengths[] = {
      {0, 0x7f}, {0x80, 0x7ff}, {0x800, 0xffff}, {0x10000, CodePoints::kLast}};
  std::vector<std::vector<ByteSet>> out;
  ByteSet ascii;
  for (const auto& [first, last] : points.ranges()) {
    for (const auto& [from, to] : kLengths) {
      const uint32_t a = std::max(first, from), b = std::min(last, to);
      if (a > b) continue;
      if (to == 0x7f) {
        ascii |= ByteSet::range(static_cast<uint8_t>(a), static_cast<uint8_t>(b));
      } else {
        add_ways(utf8(a), utf8(b), 0, {}, out);
      }
    }
  }
  if (!ascii.empty()) out.push_back({ascii});
  // Ways that differ in their first byte alone are one.
  std::map<std::vector<ByteSet>, ByteSet> first_by_rest;
  for (const std::vector<ByteSet>& way : out) first_by_rest[{way.begin() + 1, way.end()}] |= way[0];
  out.clear();
  for (const auto& [rest, first] : first_by_rest) {
    out.push_back({first});
    out.back().insert(out.back().end(), rest.begin(), rest.end());
  }
  return out;
}

std::string utf8(uint32_t p) {
  const auto byte = [](uint32_t x) { return static_cast<char>(x); };
  const auto tail = [](uint32_t x) { return static_cast<char>(0x80 | (x & 0x3f)); };
  if (p < 0x80) return {byte(p)};
  if (p < 0x800) return {byte(0xc0 | p >> 6), tail(p)};
  if (p < 0x10000) return {byte(0xe0 | p >> 12), tail(p >> 6), tail(p)};
  return {byte(0xf0 | p >> 18), tail(p >> 12), tail(p >> 6), tail(p)};
}

}  // namespace lmc::grammar
