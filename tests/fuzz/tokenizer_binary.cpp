// tokenizer.bin, which is mapped and used in place. Magic, length and checksum are put right, since no
// mutation would get past them; every table behind them is as the input has it.
#include "fuzz.h"
#include "ir/error.h"
#include "models/tokenizer/image.h"
#include "models/tokenizer/tokenizer.h"

namespace {

using namespace lmc;

std::string with_right_header(std::string image) {
  if (image.size() < sizeof(tokenizer::ImageHeader)) return image;
  tokenizer::ImageHeader header;
  std::memcpy(&header, image.data(), sizeof header);
  std::memcpy(header.magic, tokenizer::kImageMagic, sizeof header.magic);
  header.file_bytes = image.size();
  std::memcpy(image.data(), &header, sizeof header);
  header.checksum = tokenizer::image_checksum(image);
  std::memcpy(image.data(), &header, sizeof header);
  return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const bool right : {true, false}) {
    const std::string input(fuzz::text(data, size));
    try {
      const Tokenizer t = Tokenizer::from_binary(right ? with_right_header(input) : input, "tokenizer.bin");
      fuzz::accepted = true;
      const std::vector<int32_t> ids = t.encode("Hello w\xc3\xb6rld, 12 <bos>\n it's", true);
      for (const int32_t id : ids)
        fuzz::require(id >= 0 && id < t.vocab_size(), "an id outside of the vocabulary");
      t.decode(ids, false);
      t.decode(std::vector<int32_t>{0, 1, 2, 1000, -1}, true);
      t.summary();
    } catch (const Error&) {
    }
  }
  return 0;
}
