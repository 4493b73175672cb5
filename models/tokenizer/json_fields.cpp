// The Error texts of Fields.
#include "models/tokenizer/json_fields.h"

#include "ir/error.h"

namespace lmc::tokenizer {

using nlohmann::json;

Fields::Fields(const json& value, std::string file, std::string path)
    : value_(&value), file_(std::move(file)), path_(std::move(path)) {
  if (!value.is_object()) fail_type(path_, "an object", value);
}

void Fields::fail(const std::string& message) const {
  throw Error(Location{file_}, path_.empty() ? message : path_ + ": " + message);
}

void Fields::fail_unknown(const std::string& what, const std::string& found) const {
  fail("the " + what + " '" + found + "' is not supported");
}

void Fields::fail_type(const std::string& path, const char* expected, const json& found) const {
  throw Error(Location{file_}, (path.empty() ? "" : path + ": ") + std::string("expected ") + expected +
                                   ", found " + (found.is_null() ? "null" : found.type_name()));
}

bool Fields::has(const char* key) const {
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

const json& Fields::at(const char* key, const char* expected) const {
  const auto found = value_->find(key);
  if (found == value_->end()) fail(std::string("'") + key + "' is missing (expected " + expected + ")");
  return *found;
}

std::string Fields::text(const char* key) const {
  const json& found = at(key, "a string");
  if (!found.is_string()) fail_type(path_of(key), "a string", found);
  return found.get<std::string>();
}

std::string Fields::text_or(const char* key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}

bool Fields::flag_or(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const json& found = at(key, "true or false");
  if (!found.is_boolean()) fail_type(path_of(key), "true or false", found);
  return found.get<bool>();
}

int64_t Fields::integer(const char* key) const {
  const json& found = at(key, "an integer");
  if (!found.is_number_integer()) fail_type(path_of(key), "an integer", found);
  return found.get<int64_t>();
}

int64_t Fields::integer_or(const char* key, int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

Fields Fields::object(const char* key) const { return Fields(at(key, "an object"), file_, path_of(key)); }

std::vector<Fields> Fields::objects(const char* key) const {
  const json& list = at(key, "a list");
  if (!list.is_array()) fail_type(path_of(key), "a list", list);
  std::vector<Fields> out;
  for (size_t i = 0; i < list.size(); ++i) {
    out.emplace_back(list[i], file_, path_of(key) + "[" + std::to_string(i) + "]");
  }
  return out;
}

std::vector<std::string> Fields::texts(const char* key) const {
  const json& list = at(key, "a list of strings");
  if (!list.is_array()) fail_type(path_of(key), "a list of strings", list);
  std::vector<std::string> out;
  for (const json& item : list) {
    if (!item.is_string()) fail_type(path_of(key), "a list of strings", item);
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::vector<int64_t> Fields::integers(const char* key) const {
  const json& list = at(key, "a list of integers");
  if (!list.is_array()) fail_type(path_of(key), "a list of integers", list);
  std::vector<int64_t> out;
  for (const json& item : list) {
    if (!item.is_number_integer()) fail_type(path_of(key), "a list of integers", item);
    out.push_back(item.get<int64_t>());
  }
  return out;
}

}  // namespace lmc::tokenizer
