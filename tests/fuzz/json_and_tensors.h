// A folder's two files as one input: how much data there is, in two bytes, then JSON, a zero byte and the
// header of a safetensors file.
#pragma once

#include <fstream>

#include "fuzz.h"

namespace lmc::fuzz {

inline void write_json_and_tensors(const uint8_t* data, size_t size, const std::string& json_file,
                                   const std::string& tensors_file) {
  Bytes input(data, size);
  const size_t bytes = input.take<uint16_t>();
  std::vector<std::string> texts = parts(data + size - input.left(), input.left());
  texts.resize(2);
  std::ofstream(json_file, std::ios::binary) << texts[0];
  std::ofstream tensors(tensors_file, std::ios::binary);
  const uint64_t header = texts[1].size();
  tensors.write(reinterpret_cast<const char*>(&header), 8);
  tensors << texts[1];
  for (size_t i = 0; i < bytes; ++i) tensors.put(static_cast<char>(i * 37 % 59));
}

}  // namespace lmc::fuzz
