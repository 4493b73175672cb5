// The options of a command: what is written after its name. CLI11 behind a few words, because its templates
// cost seconds in every file that sees them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lmc {

// One of them. Copies mean the same option; limits that a value breaks are wrong usage, exit code 2.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  Flag& required();
  Flag& shows_default();  // in the help: what the variable holds now
  // In the help, and what shells complete: "FILE", "FOLDER", "BUNDLE", "MODEL", "CHECKPOINT"; another word is
  // only shown.
  Flag& type_name(const std::string& name);
  Flag& hidden();           // not in the help
  Flag& comma_separated();  // of lists
  Flag& one_value_each();   // of lists: each value wants the flag's name again
  Flag& values(int count);  // of lists: exactly so many
  Flag& excludes(const Flag& other);
  Flag& excludes(const std::string& name);  // of one that is declared already
  Flag& needs(const Flag& other);

  Flag& positive();
  Flag& not_negative();
  Flag& range(int64_t least, int64_t most);  // both included
  Flag& one_of(const std::vector<std::string>& words);
  Flag& suggests(const std::vector<std::string>& words);  // shown like those of one_of; refused elsewhere
  Flag& existing_file();
  Flag& existing_path();
  Flag& byte_size(uint64_t least, uint64_t most);  // 256M, 1G, 4096
  // `wrong` says what is wrong with a text, or "".
  Flag& check(std::function<std::string(const std::string&)> wrong, const std::string& type_name);

  bool given() const;  // asked once the command line is parsed

 private:
  CLI::Option* option_;
};

// `names`: "-t,--threads", or a word without dashes for what is told by its place. The variable must outlive
// the parsing.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  Flag option(const std::string& names, std::string& value, const std::string& doc = "");
  Flag option(const std::string& names, int& value, const std::string& doc = "");
  Flag option(const std::string& names, int64_t& value, const std::string& doc = "");
  Flag option(const std::string& names, uint64_t& value, const std::string& doc = "");
  Flag option(const std::string& names, float& value, const std::string& doc = "");
  Flag option(const std::string& names, double& value, const std::string& doc = "");
  Flag option(const std::string& names, std::function<void(const std::string&)> given,
              const std::string& doc = "");
  Flag option(const std::string& names, std::vector<std::string>& values, const std::string& doc = "");
  Flag option(const std::string& names, std::vector<int>& values, const std::string& doc = "");
  Flag option(const std::string& names, std::vector<int64_t>& values, const std::string& doc = "");
  // "--json", or "--yes,!--no" for one that can be taken back.
  Flag flag(const std::string& names, bool& value, const std::string& doc);
  Flag flag(const std::string& names, std::function<void()> given, const std::string& doc);
  void footer(const std::string& text);  // under the help

 private:
  CLI::App& app_;
};

void add_threads_flag(Flags& flags, int& threads);  // -t; `threads` stays as it is if not given

}  // namespace lmc
