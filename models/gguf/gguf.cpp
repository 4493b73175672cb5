#include "models/gguf/gguf.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "ir/error.h"
#include "ir/files.h"
#include "models/text/utf8.h"

namespace lmc {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr int kMaxDims = 4;
constexpr int kMaxNesting = 4;
constexpr int64_t kMaxElements = int64_t{1} << 48;

// Bytes of a number; 0 for texts and arrays.
size_t number_bytes(GgufType t) {
  constexpr size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kBytes[static_cast<size_t>(t)];
}

std::string dims_text(const std::vector<int64_t>& dims) {
  std::string out;
  for (const int64_t d : dims) out += (out.empty() ? "" : ",") + std::to_string(d);
  return "[" + out + "]";
}

// 0 if there is none.
int64_t whole_number(const GgufFile& file, const std::string& key) {
  const GgufValue* v = file.find(key);
  return v ? v->integer().value_or(0) : 0;
}

// "-00001-of-00003.gguf"
std::string part_ending(int64_t no, int64_t count) {
  const auto five = [](int64_t n) {
    const std::string digits = std::to_string(n);
    return std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
  };
  return "-" + five(no + 1) + "-of-" + five(count) + ".gguf";
}

// Of the part whose name has as many letters: the other end.
std::string part_path(const std::string& path, int64_t no, int64_t count) {
  const std::string ending = part_ending(no, count);
  return path.substr(0, path.size() - ending.size()) + ending;
}

}  // namespace

// Walks through the header; every step says what it was reading if the file ends there.
class GgufFile::Reader {
 public:
  explicit Reader(GgufFile& file) : file_(file), bytes_(text_of(file.mappings_[0].bytes())) {}

  void read() {
    read_version();
    const auto tensors = number<uint64_t>("the number of tensors");
    const auto keys = number<uint64_t>("the number of metadata keys");
    for (uint64_t i = 0; i < keys; ++i) read_key(i);
    for (uint64_t i = 0; i < tensors; ++i) read_tensor(i);
    place_tensors();
  }

 private:
  static std::string_view text_of(std::span<const std::byte> b) {
    return {reinterpret_cast<const char*>(b.data()), b.size()};
  }

  [[noreturn]] void fail(const std::string& message) const { throw Error(file_.path_ + ": " + message); }

  // `what` is a text, or makes one when it is needed: a file may have more elements than there is time for
  // names.
  template <class What>
  static std::string said(const What& what) {
    if constexpr (std::is_invocable_v<What>) {
      return what();
    } else {
      return what;
    }
  }

  template <class What>
  std::string_view take(uint64_t n, const What& what) {
    if (n > bytes_.size() - at_) {
      fail(said(what) + " needs " + std::to_string(n) + " bytes at byte " + std::to_string(at_) + " of " +
           std::to_string(bytes_.size()) + ": the file is truncated or damaged");
    }
    const std::string_view out = bytes_.substr(at_, n);
    at_ += n;
    return out;
  }

  template <class T, class What>
  T number(const What& what) {
    T v;
    std::memcpy(&v, take(sizeof v, what).data(), sizeof v);
    return v;
  }

  template <class What>
  std::string_view text(const What& what) {
    return take(number<uint64_t>([&] { return "the length of " + said(what); }), what);
  }

  void read_version() {
    if (bytes_.size() < 4 || number<uint32_t>("the magic") != kMagic) fail("is not a GGUF file");
    file_.version_ = number<uint32_t>("the version");
    if (file_.version_ != 0 && (file_.version_ & 0xffff) == 0)
      fail("is a big-endian GGUF file; only little-endian ones are read");
    if (file_.version_ != 2 && file_.version_ != 3)
      fail("has GGUF version " + std::to_string(file_.version_) + "; versions 2 and 3 are read");
  }

  // A name that is said in messages and looked up: UTF-8 without control characters.
  std::string name(const std::string& what) {
    const std::string_view out = text(what);
    if (out.empty()) fail(what + " is empty");
    if (out.size() > 65535) fail(what + " is " + std::to_string(out.size()) + " bytes long");
    if (!tokenizer::is_valid_utf8(out) || std::any_of(out.begin(), out.end(), [](char c) {
          return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        })) {
      fail(what + " is not UTF-8 text");
    }
    return std::string(out);
  }

  template <class What>
  GgufType type(const What& what) {
    const auto t = number<uint32_t>([&] { return "the type of " + said(what); });
    if (t > static_cast<uint32_t>(GgufType::f64))
      fail(said(what) + " has the unknown type " + std::to_string(t));
    return static_cast<GgufType>(t);
  }

  void read_key(uint64_t i) {
    const std::string key = name("the name of metadata key " + std::to_string(i));
    const std::string what = "metadata key '" + key + "'";
    const size_t start = at_;
    GgufValue v;
    v.type = type(what);
    if (v.type == GgufType::array) {
      read_array(v, what);
    } else if (v.type == GgufType::text) {
      v.bytes = text(what);
    } else {
      v.bytes = take(number_bytes(v.type), what);
    }
    v.stored = bytes_.substr(start, at_ - start);
    if (!file_.metadata_.emplace(key, v).second) fail(what + " is given twice");
  }

  void read_array(GgufValue& v, const std::string& what) {
    v.element = type("the elements of " + what);
    v.count = number<uint64_t>("the length of " + what);
    const size_t start = at_;
    skip_elements(v.element, v.count, what, 1);
    v.bytes = bytes_.substr(start, at_ - start);
  }

  void skip_elements(GgufType element, uint64_t count, const std::string& what, int depth) {
    const size_t size = number_bytes(element);
    const size_t least = size > 0 ? size : element == GgufType::text ? 8 : 12;
    if (count > (bytes_.size() - at_) / least) {
      fail(what + " claims " + std::to_string(count) + " elements, more than the file can hold");
    }
    if (size > 0) {
      take(count * size, what);
      return;
    }
    if (depth > kMaxNesting) fail(what + " nests arrays more than " + std::to_string(kMaxNesting) + " deep");
    for (uint64_t i = 0; i < count; ++i) {
      if (element == GgufType::text) {
        text([&] { return "element " + std::to_string(i) + " of " + what; });
      } else {
        const auto array = [&] { return "an array in " + what; };
        const GgufType inner = type(array);
        skip_elements(inner, number<uint64_t>([&] { return "the length of " + array(); }), what, depth + 1);
      }
    }
  }

  void read_tensor(uint64_t i) {
    const std::string name = this->name("the name of tensor " + std::to_string(i));
    const std::string what = "tensor '" + name + "'";
    Tensor t;
    const auto rank = number<uint32_t>("the rank of " + what);
    if (rank < 1 || rank > kMaxDims) fail(what + " has " + std::to_string(rank) + " dimensions");
    double elements = 1;
    for (uint32_t d = 0; d < rank; ++d) {
      const auto n = number<uint64_t>("a dimension of " + what);
      elements *= static_cast<double>(n);
      if (n < 1 || elements > static_cast<double>(kMaxElements))
        fail(what + " has the dimension " + std::to_string(n));
      t.shape.insert(t.shape.begin(), static_cast<int64_t>(n));
    }
    const auto format = number<uint32_t>("the format of " + what);
    t.format = gguf_format(format);
    if (!t.format) {
      fail(what + " is of the format " + gguf_format_name(format) + "; those that are read are " +
           gguf_format_names());
    }
    if (t.columns() % t.format->elements != 0) {
      fail(what + " has rows of " + std::to_string(t.columns()) + ", not whole blocks of " +
           std::to_string(t.format->elements) + " (" + t.format->name + ")");
    }
    t.bytes = t.rows() * (t.columns() / t.format->elements) * t.format->bytes;
    const auto offset = number<uint64_t>("the offset of " + what);
    if (offset > bytes_.size()) {
      fail(what + " starts at byte " + std::to_string(offset) + " of the data, behind the file's end at " +
           std::to_string(bytes_.size()));
    }
    t.offset = static_cast<int64_t>(offset);  // of the data, until it is known where that starts
    if (!file_.tensors_.emplace(name, std::move(t)).second) fail(what + " is given twice");
  }

  int64_t alignment() const {
    const GgufValue* v = file_.find("general.alignment");
    if (!v) return 32;
    const int64_t n = v->integer().value_or(0);
    if (n < 8 || n > (1 << 20) || (n & (n - 1)) != 0)
      fail("general.alignment must be a power of two from 8 to 1048576");
    return n;
  }

  void place_tensors() {
    const int64_t align = alignment();
    const int64_t start = (static_cast<int64_t>(at_) + align - 1) / align * align;
    const auto size = static_cast<int64_t>(bytes_.size());
    std::vector<std::pair<const std::string*, Tensor*>> by_place;
    for (auto& [name, t] : file_.tensors_) {
      if (t.offset % align != 0) {
        fail("tensor '" + name + "' starts at byte " + std::to_string(t.offset) +
             " of the data, not a multiple of " + std::to_string(align));
      }
      t.offset += start;
      if (t.offset > size || t.bytes > size - t.offset) {
        fail("tensor '" + name + "' ends at byte " + std::to_string(t.offset + t.bytes) + " of " +
             std::to_string(size) + ": the file is truncated");
      }
      by_place.emplace_back(&name, &t);
    }
    std::sort(by_place.begin(), by_place.end(),
              [](const auto& a, const auto& b) { return a.second->offset < b.second->offset; });
    for (size_t i = 1; i < by_place.size(); ++i) {
      const auto& [before, a] = by_place[i - 1];
      if (a->offset + a->bytes > by_place[i].second->offset)
        fail("tensors '" + *before + "' and '" + *by_place[i].first + "' overlap");
    }
  }

  GgufFile& file_;
  std::string_view bytes_;
  size_t at_ = 0;
};

GgufFile::GgufFile(const std::string& path, Alone) : path_(path) {
  mappings_.emplace_back(path);
  if (mappings_[0].bytes().empty()) throw Error(path + ": is empty");
  Reader(*this).read();
}

GgufFile::GgufFile(const std::string& path) : GgufFile(path, Alone{}) { add_parts(); }

void GgufFile::add_parts() {
  const int64_t count = whole_number(*this, "split.count");
  if (count <= 1) return;
  const int64_t no = whole_number(*this, "split.no");
  if (!path_.ends_with(part_ending(no, count))) {
    throw Error(path_ + ": is part " + std::to_string(no + 1) + " of a model in " + std::to_string(count) +
                " files, but its name does not end in " + part_ending(no, count));
  }
  if (no != 0) {
    throw Error(path_ + ": is part " + std::to_string(no + 1) + " of a model in " + std::to_string(count) +
                " files; name the first, " + part_path(path_, 0, count));
  }
  for (int64_t i = 1; i < count; ++i) add_part(i, count);
  const int64_t tensors = whole_number(*this, "split.tensors.count");
  if (tensors != 0 && tensors != static_cast<int64_t>(tensors_.size())) {
    throw Error(path_ + ": its " + std::to_string(count) + " parts have " + std::to_string(tensors_.size()) +
                " tensors, not the " + std::to_string(tensors) + " it says");
  }
}

void GgufFile::add_part(int64_t no, int64_t count) {
  GgufFile part(part_path(path_, no, count), Alone{});
  if (whole_number(part, "split.no") != no || whole_number(part, "split.count") != count) {
    throw Error(part.path_ + ": is not part " + std::to_string(no + 1) + " of " + std::to_string(count) +
                ", as its name says");
  }
  for (auto& [name, t] : part.tensors_) {
    t.part = mappings_.size();
    if (!tensors_.emplace(name, t).second)
      throw Error(part.path_ + ": tensor '" + name + "' is in a part before it too");
  }
  mappings_.push_back(std::move(part.mappings_[0]));
}

int64_t GgufFile::Tensor::rows() const {
  int64_t n = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
  return n;
}

std::string GgufFile::Tensor::type_text() const { return format->name + dims_text(shape); }

const GgufValue* GgufFile::find(const std::string& key) const {
  const auto it = metadata_.find(key);
  return it == metadata_.end() ? nullptr : &it->second;
}

std::string GgufFile::architecture() const {
  const GgufValue* v = find("general.architecture");
  if (!v || !v->text()) throw Error(path_ + ": has no text under the metadata key 'general.architecture'");
  return std::string(*v->text());
}

std::span<const std::byte> GgufFile::row(const Tensor& t, int64_t r) const {
  const int64_t bytes = t.columns() / t.format->elements * t.format->bytes;
  return mappings_[t.part].bytes().subspan(static_cast<size_t>(t.offset + r * bytes),
                                           static_cast<size_t>(bytes));
}

void GgufFile::read_row(const Tensor& t, int64_t r, int64_t first, std::span<float> out) const {
  const std::byte* from = row(t, r).data();
  const int64_t per_block = t.format->elements;
  std::vector<float> block;
  for (size_t done = 0; done < out.size();) {
    const int64_t at = first + static_cast<int64_t>(done);
    const int64_t inside = at % per_block;
    const std::byte* source = from + at / per_block * t.format->bytes;
    auto n = out.size() - done;
    if (const auto whole = static_cast<int64_t>(n) / per_block; inside == 0 && whole > 0) {
      n = static_cast<size_t>(whole * per_block);
      t.format->decode(source, whole, out.data() + done);
    } else {
      n = std::min(n, static_cast<size_t>(per_block - inside));
      block.resize(static_cast<size_t>(per_block));
      t.format->decode(source, 1, block.data());
      std::copy_n(block.begin() + inside, n, out.data() + done);
    }
    done += n;
  }
}

}  // namespace lmc
