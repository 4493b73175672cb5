// Reads typed fields of a JSON object and says in each Error which file and which field is wrong.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lmc::tokenizer {

class Fields {
 public:
  // `path` is where `value` stands, such as "pre_tokenizer.pretokenizers[1]".
  Fields(const nlohmann::json& value, std::string file, std::string path);

  [[noreturn]] void fail(const std::string& message) const;  // "file: path: message"
  [[noreturn]] void fail_unknown(const std::string& what, const std::string& found) const;

  bool has(const char* key) const;  // present and not null
  std::string text(const char* key) const;
  std::string text_or(const char* key, const std::string& otherwise) const;
  bool flag_or(const char* key, bool otherwise) const;
  int64_t integer(const char* key) const;
  int64_t integer_or(const char* key, int64_t otherwise) const;
  Fields object(const char* key) const;
  std::vector<Fields> objects(const char* key) const;     // a list of objects
  std::vector<std::string> texts(const char* key) const;  // a list of strings
  std::vector<int64_t> integers(const char* key) const;   // a list of integers
  std::string type() const { return text("type"); }
  const nlohmann::json& value() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }

 private:
  const nlohmann::json& at(const char* key, const char* expected) const;
  std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  [[noreturn]] void fail_type(const std::string& path, const char* expected,
                              const nlohmann::json& found) const;

  const nlohmann::json* value_;
  std::string file_;
  std::string path_;
};

}  // namespace lmc::tokenizer
