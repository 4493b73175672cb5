#include "tools/bundle/bundle.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "codegen/target.h"
#include "ir/error.h"
#include "ir/file_guard.h"
#include "ir/kernel_abi.h"
#include "ir/printable.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"
#include "tools/bundle/bundle_format.h"
#include "tools/bundle/plan_json.h"
#include "tools/cli/console.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace fs = std::filesystem;

struct BundleManifest {
  std::string text;
  nlohmann::json json;
  std::string hash(const std::string& file) const { return json.at("files").at(file).at("sha256"); }
};

namespace {

const char* const kAgain = "; compile it again with lmc compile";

BundleManifest read_manifest(const std::string& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw Error(path + ": there is no such bundle");
  if (!fs::is_directory(path, ec)) throw Error(path + ": is not a bundle (a folder made by lmc compile)");
  if (!fs::exists(path + "/manifest.json", ec))
    throw Error(path + ": is not a bundle: it has no manifest.json");
  try {
    BundleManifest m;
    m.text = read_file(path + "/manifest.json");
    m.json = parse_json(m.text, path + "/manifest.json");
    if (m.json.at("format") != kBundleFormat || m.json.at("lmc").get<std::string>() != kLmcVersion) {
      throw Error(path + ": was made by lmc " + m.json.at("lmc").get<std::string>() + ", this is " +
                  kLmcVersion + kAgain);
    }
    return m;
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + "/manifest.json: " + e.what() + kAgain);
  }
}

void check_hash(const std::string& file, const std::string& found, const std::string& listed) {
  if (found != listed) throw Error(file + ": is damaged (its hash differs from the manifest)" + kAgain);
}

void check_files(const std::string& path, const BundleManifest& m, int64_t rank) {
  for (const char* name : {"model.lmir", "plan.json", "kernels.o", "weights.safetensors"}) {
    const std::string needed = rank_file(rank, name);
    if (!m.json.at("files").contains(needed))
      throw Error(path + ": manifest.json does not list " + needed + kAgain);
  }
  for (const auto& [name, entry] : m.json.at("files").items()) {
    if (name.find('/') != std::string::npos)
      throw Error(path + ": manifest.json names a file outside the bundle");
    const std::string file = path + "/" + name;
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    if (ec) throw Error(file + ": is missing" + kAgain);
    if (size != whole_number<uint64_t>(entry.at("bytes"))) {
      throw Error(file + ": has " + std::to_string(size) + " bytes, the manifest says " +
                  std::to_string(whole_number<uint64_t>(entry.at("bytes"))) + kAgain);
    }
    const auto hash = entry.at("sha256").get<std::string>();
    if (!is_weight_file(name)) check_hash(file, sha256_of_file(file), hash);
  }
}

// What nobody vouches for is not used: a template or a tokenizer that was put there later, say.
void refuse_others(const std::string& path, const BundleManifest& m) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(path, ec)) {
    const std::string name = entry.path().filename().string();
    if (name != "manifest.json" && name != kSignatureFile && !m.json.at("files").contains(name))
      throw Error(path + ": holds " + name + ", which its manifest does not list" + kAgain);
  }
}

int64_t ranks_of(const BundleManifest& m) {
  return m.json.contains("ranks") ? whole_number<int64_t>(m.json.at("ranks")) : 1;
}

// A bundle is for so many ranks, of which this one is `rank`.
void check_ranks(const std::string& path, const BundleManifest& m, int64_t rank) {
  const int64_t ranks = ranks_of(m);
  if (rank < 0 || rank >= ranks)
    throw Error(path + ": is for " + std::to_string(ranks) + (ranks == 1 ? " rank" : " ranks") +
                ", and there is no rank " + std::to_string(rank) + " among them; start as many");
}

BundleManifest checked_manifest(const std::string& path, int64_t rank) {
  BundleManifest m = read_manifest(path);
  if (const std::string keys = trusted_keys(); !keys.empty()) check_signature(path, m.text, keys);
  try {
    check_ranks(path, m, rank);
    check_files(path, m, rank);
    refuse_others(path, m);
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + "/manifest.json: " + e.what() + kAgain);
  }
  return m;
}

}  // namespace

Bundle::Bundle(const std::string& bundle_path, int64_t rank)
    : Bundle(bundle_path, checked_manifest(bundle_path, rank), rank) {}

Bundle::Bundle(const std::string& bundle_path, const BundleManifest& m, int64_t this_rank)
    : path(bundle_path),
      rank(this_rank),
      mapped_(std::in_place, bundle_path + "/" + rank_file(this_rank, "weights.safetensors")) {
  for (const auto& [name, entry] : m.json.at("files").items()) {
    if (is_weight_file(name)) weight_hashes_[name] = m.hash(name);
  }
  if (!trusted_keys().empty()) verify_weights();
  try {
    info.model = m.json.at("model");
    info.source = m.json.at("source");
    info.adapters = m.json.at("adapters").get<std::vector<std::string>>();
    info.layers = whole_number<int64_t>(m.json.at("layers"));
    info.tensors = whole_number<int64_t>(m.json.at("tensors"));
    info.parameters = whole_number<int64_t>(m.json.at("parameters"));
    info.summaries = m.json.at("passes").get<std::vector<std::string>>();
    info.bos_ids = whole_numbers<int32_t>(m.json.at("bos_ids"));
    info.eos_ids = whole_numbers<int32_t>(m.json.at("eos_ids"));
    info.example_prompt = m.json.at("example_prompt");
    info.sampling = m.json.at("sampling").get<std::map<std::string, double>>();
    std::vector<std::string> shown = info.adapters;
    shown.insert(shown.end(), {info.model, info.source});
    for (const std::string& text : shown) {
      if (!is_printable_name(text))
        throw Error(path + "/manifest.json: '" + text + "' holds control characters");
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + "/manifest.json: " + e.what() + kAgain);
  }
  plan = plan_from_json(read_file(own_file("plan.json")), own_file("plan.json"));
  if (plan.rank != rank || plan.ranks != ranks_of(m))
    throw Error(own_file("plan.json") + ": is another rank's" + kAgain);
  if (!find_target(plan.target).supported_here()) {
    throw Error(path + ": was compiled for " + plan.target + ", which this CPU does not have" + kAgain);
  }
  kernels = read_file(own_file("kernels.o"));

  find_shared(m);
}

// Checks the weights' files against the plans, and finds each weight in one of them.
void Bundle::find_shared(const BundleManifest& m) {
  const auto matches = [](const MappedFile& file, const WeightsHeader& header) {
    const auto bytes = file.bytes();
    return static_cast<int64_t>(bytes.size()) == header.file_bytes &&
           std::memcmp(bytes.data(), header.text.data(), header.text.size()) == 0;
  };
  SharedWeights shared;
  try {
    if (rank > 0 && m.json.contains("shared_weights")) {
      const auto& all = m.json.at("shared_weights");
      if (all.contains(std::to_string(rank))) shared = whole_numbers<int64_t>(all.at(std::to_string(rank)));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + "/manifest.json: " + e.what() + kAgain);
  }
  const std::string damaged = path + "/manifest.json: shares weights that rank 0 does not have";
  if (!shared.empty() && shared.size() != plan.weights.size()) throw Error(damaged + kAgain);
  const WeightsHeader header(plan, shared);
  if (!matches(*mapped_, header))
    throw Error(own_file("weights.safetensors") + ": does not match plan.json" + kAgain);
  for (const int64_t offset : header.offsets) {
    const std::byte* data = mapped_->bytes().data() + header.data_start;
    addresses_.push_back(offset < 0 ? nullptr : data + offset);
  }
  if (shared.empty()) return;
  const Plan first = plan_from_json(read_file(file("plan.json")), file("plan.json"));
  const WeightsHeader first_header(first);
  first_mapped_.emplace(file("weights.safetensors"));
  if (!matches(*first_mapped_, first_header))
    throw Error(file("weights.safetensors") + ": does not match plan.json" + kAgain);
  for (size_t i = 0; i < shared.size(); ++i) {
    if (shared[i] < 0) continue;
    const auto at = static_cast<size_t>(shared[i]);
    if (at >= first.weights.size()) throw Error(damaged + kAgain);
    const PlanWeight &here = plan.weights[i], &there = first.weights[at];
    if (here.bytes != there.bytes || here.layout != there.layout || here.type != there.type)
      throw Error(damaged + kAgain);
    addresses_[i] = first_mapped_->bytes().data() + first_header.data_start + first_header.offsets[at];
  }
}

void Bundle::read_weights() {
  if (!mapped_) return;
  const std::span<const std::byte> file = mapped_->bytes();
  Arena own(static_cast<int64_t>(file.size()) + kReadPastEnd, "the weights");
  own.prefer_large_pages();
  own.commit(0, own.bytes());
  std::memcpy(own.data(), file.data(), file.size());
  check_mapped_files();
  for (const void*& a : addresses_) {
    const auto* at = static_cast<const std::byte*>(a);
    if (at >= file.data() && at < file.data() + file.size()) a = own.data() + (at - file.data());
  }
  own_ = std::move(own);
  own_bytes_ = file.size();
  mapped_.reset();
}

std::string Bundle::own_file(const std::string& name) const { return file(rank_file(rank, name)); }

bool Bundle::has_tokenizer() const { return fs::exists(file("tokenizer.bin")); }

void Bundle::verify_weights() const {
  for (const auto& [name, hash] : weight_hashes_) check_hash(file(name), sha256_of_file(file(name)), hash);
}

void Bundle::check_weight_hash(const std::string& hash) const {
  const std::string name = rank_file(rank, "weights.safetensors");
  check_hash(file(name), hash, weight_hashes_.at(name));
}

std::string newest_bundle() {
  fs::path newest;
  fs::file_time_type time;
  for (const auto& entry : fs::directory_iterator(".")) {
    std::error_code ec;
    const fs::path manifest = entry.path() / "manifest.json";
    if (entry.path().extension() != ".lmc" || !fs::exists(manifest, ec)) continue;
    const auto t = fs::last_write_time(manifest, ec);
    if (newest.empty() || t > time) {
      newest = entry.path().filename();
      time = t;
    }
  }
  if (newest.empty())
    throw Error("no *.lmc in this folder; name a bundle, or make one with lmc compile MODEL.yaml");
  const std::string name = newest.string();
  for (const std::string& part :
       {name, (newest / "manifest.json").string(), (newest / "kernels.o").string()}) {
    if (const std::string why = others_may_write(part); !why.empty())
      throw Error(part + ": " + why + ", and a bundle is a program; name " + name + " if it shall run");
  }
  info("taking {}, the newest bundle here", name);
  return name;
}

}  // namespace lmc
