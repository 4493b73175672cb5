// The name of a file as places in it carry it: thousands of places share one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lmc {

class FileName {
 public:
  FileName() = default;
  FileName(std::string name)
      : name_(name.empty() ? nullptr : std::make_shared<const std::string>(std::move(name))) {}
  FileName(const char* name) : FileName(std::string(name)) {}

  const std::string& str() const {
    static const std::string none;
    return name_ ? *name_ : none;
  }
  operator const std::string&() const { return str(); }

 private:
  std::shared_ptr<const std::string> name_;
};

}  // namespace lmc
