#include "passes/pattern/fusion.h"

#include <algorithm>

namespace lmc {
namespace {

Location location(const std::source_location& at) {
  const std::string file = at.file_name();
  const size_t folder = file.rfind("passes/");
  return {folder == std::string::npos ? file : file.substr(folder), static_cast<int>(at.line())};
}

}  // namespace

FusionBuilder::FusionBuilder(const std::string& identifier, const std::string& doc) {
  spec_.name = identifier;
  std::replace(spec_.name.begin(), spec_.name.end(), '_', '-');
  spec_.doc = doc;
}

FusionBuilder& FusionBuilder::after(const std::string& pass) {
  spec_.after.push_back({pass, {}});
  return *this;
}

FusionBuilder& FusionBuilder::before(const std::string& pass) {
  spec_.before.push_back({pass, {}});
  return *this;
}

FusionBuilder& FusionBuilder::summary(const std::string& line) {
  spec_.summary = line;
  return *this;
}

FusionBuilder& FusionBuilder::setting(const std::string& key, std::vector<std::string> choices,
                                      const std::string& doc) {
  spec_.settings.push_back({key, std::move(choices), doc});
  return *this;
}

FusionBuilder& FusionBuilder::summary_if_any(const std::string& line) {
  spec_.tell_none = false;
  return summary(line);
}

FusionBuilder& FusionBuilder::on_request() {
  spec_.standard = false;
  return *this;
}

FusionBuilder& FusionBuilder::approximate(Judged by) {
  spec_.exact = false;
  spec_.caches = by == Judged::all;
  return *this;
}

FusionBuilder& FusionBuilder::rival(const std::string& pass) {
  spec_.rivals.push_back({pass, {}});
  return *this;
}

FusionBuilder& FusionBuilder::example(const std::string& graph) {
  spec_.example = graph;
  return *this;
}

FusionBuilder& FusionBuilder::match(const std::string& pattern, Here at) {
  spec_.alternatives.push_back({});
  spec_.alternatives.back().pattern = {pattern, location(at)};
  return *this;
}

FusionBuilder& FusionBuilder::variant(const std::string& name) {
  spec_.alternatives.back().variant = name;
  return *this;
}

FusionBuilder& FusionBuilder::when(const std::string& reason, std::function<bool(const Match&)> guard) {
  spec_.alternatives.back().guards.push_back({reason, {}, std::move(guard)});
  return *this;
}

FusionBuilder& FusionBuilder::when(const std::string& reason, const char* condition, Here at) {
  spec_.alternatives.back().guards.push_back({reason, {condition, location(at)}, nullptr});
  return *this;
}

FusionBuilder& FusionBuilder::rewrite(const std::string& text, Here at) {
  spec_.alternatives.back().replacement = {text, location(at)};
  return *this;
}

FusionBuilder& FusionBuilder::group(const std::string& label) {
  spec_.alternatives.back().group = true;
  spec_.alternatives.back().label = label;
  return *this;
}

RegisterFusion::RegisterFusion(const FusionBuilder& builder) { RegisterPass{make_fusion(builder)}; }

}  // namespace lmc
