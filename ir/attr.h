// Attributes of an op: small constants by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/variant.h"

namespace lmc {

enum class AttrKind : uint8_t { integer, real, text, integers, reals };

using Attr = Variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
using AttrMap = std::map<std::string, Attr>;

AttrKind attr_kind(const Attr& a);
const char* attr_kind_name(AttrKind k);

// Text form: 1152, 1e-06 (shortest that reads back the same), attn_q or "two words", [1,2],
// [0.5,2]. A list of whole numbers reads back as integers: an op that wants reals takes both.
std::string attr_text(const Attr& a);

// Does it read back? Not so what is not finite, and the one integer whose magnitude 64 bits do not hold.
bool has_text(const Attr& a);

}  // namespace lmc
