#include "tools/cli/flags.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>

namespace lmc {
namespace {

// CLI11 takes what no number of 64 bits holds for the nearest one that does.
CLI::Option* refuse_overflow(CLI::Option* option) {
  const auto check = [](const std::string& text) {
    errno = 0;
    std::strtoll(text.c_str(), nullptr, 10);
    const bool fits_signed = errno != ERANGE;
    errno = 0;
    if (!text.starts_with('-')) std::strtoull(text.c_str(), nullptr, 10);
    const bool fits = fits_signed || (!text.starts_with('-') && errno != ERANGE);
    return std::string(fits ? "" : "is more than 64 bits hold: " + text);
  };
  return option->check(CLI::Validator(check, ""));
}

}  // namespace

Flag& Flag::required() {
  option_->required();
  return *this;
}

Flag& Flag::shows_default() {
  option_->capture_default_str();
  return *this;
}

Flag& Flag::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Flag& Flag::hidden() {
  option_->group("");
  return *this;
}

Flag& Flag::comma_separated() {
  option_->delimiter(',');
  return *this;
}

Flag& Flag::one_value_each() {
  option_->allow_extra_args(false);
  return *this;
}

Flag& Flag::values(int count) {
  option_->expected(count);
  return *this;
}

Flag& Flag::excludes(const Flag& other) {
  option_->excludes(other.option_);
  return *this;
}

Flag& Flag::excludes(const std::string& name) {
  option_->excludes(name);
  return *this;
}

Flag& Flag::needs(const Flag& other) {
  option_->needs(other.option_);
  return *this;
}

Flag& Flag::check(std::function<std::string(const std::string&)> wrong, const std::string& type_name) {
  option_->check([wrong = std::move(wrong)](const std::string& text) { return wrong(text); }, type_name);
  return *this;
}

Flag& Flag::positive() {
  option_->check(CLI::Validator(
      [](const std::string& text) {
        double x = 0;
        return CLI::detail::lexical_cast(text, x) && x > 0 ? "" : "must be a number above 0, found " + text;
      },
      "POSITIVE"));
  return *this;
}

Flag& Flag::not_negative() {
  option_->check(CLI::Validator(
      [](const std::string& text) {
        double x = 0;
        return CLI::detail::lexical_cast(text, x) && x >= 0 ? ""
                                                            : "must be a number of 0 or more, found " + text;
      },
      "NONNEGATIVE"));
  return *this;
}

Flag& Flag::range(int64_t least, int64_t most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Flag& Flag::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Flag& Flag::suggests(const std::vector<std::string>& words) {
  option_->check(CLI::Validator("{" + CLI::detail::join(words) + "}"));
  return *this;
}

Flag& Flag::existing_file() {
  option_->check(CLI::ExistingFile);
  return *this;
}

Flag& Flag::existing_path() {
  option_->check(CLI::ExistingPath);
  return *this;
}

Flag& Flag::byte_size(uint64_t least, uint64_t most) {
  option_->transform(CLI::AsSizeValue(false))->check(CLI::Range(least, most));
  return *this;
}

bool Flag::given() const { return option_->count() > 0; }

Flag Flags::option(const std::string& names, std::string& value, const std::string& doc) {
  return Flag(app_.add_option(names, value, doc));
}

Flag Flags::option(const std::string& names, int& value, const std::string& doc) {
  return Flag(refuse_overflow(app_.add_option(names, value, doc)));
}

Flag Flags::option(const std::string& names, int64_t& value, const std::string& doc) {
  return Flag(refuse_overflow(app_.add_option(names, value, doc)));
}

Flag Flags::option(const std::string& names, uint64_t& value, const std::string& doc) {
  return Flag(refuse_overflow(app_.add_option(names, value, doc)));
}

Flag Flags::option(const std::string& names, float& value, const std::string& doc) {
  return Flag(app_.add_option(names, value, doc));
}

Flag Flags::option(const std::string& names, double& value, const std::string& doc) {
  return Flag(app_.add_option(names, value, doc));
}

Flag Flags::option(const std::string& names, std::function<void(const std::string&)> given,
                   const std::string& doc) {
  return Flag(app_.add_option_function<std::string>(names, std::move(given), doc));
}

Flag Flags::option(const std::string& names, std::vector<std::string>& values, const std::string& doc) {
  return Flag(app_.add_option(names, values, doc));
}

Flag Flags::option(const std::string& names, std::vector<int>& values, const std::string& doc) {
  return Flag(app_.add_option(names, values, doc));
}

Flag Flags::option(const std::string& names, std::vector<int64_t>& values, const std::string& doc) {
  return Flag(app_.add_option(names, values, doc));
}

Flag Flags::flag(const std::string& names, bool& value, const std::string& doc) {
  return Flag(app_.add_flag(names, value, doc));
}

Flag Flags::flag(const std::string& names, std::function<void()> given, const std::string& doc) {
  return Flag(app_.add_flag_callback(names, std::move(given), doc));
}

void Flags::footer(const std::string& text) { app_.footer(text); }

void add_threads_flag(Flags& flags, int& threads) {
  flags.option("-t,--threads", threads, "threads (default: physical cores)").range(1, 1024);
}

}  // namespace lmc
