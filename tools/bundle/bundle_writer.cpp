#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/file_guard.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/bundle_format.h"
#include "tools/bundle/plan_json.h"
#include "tools/bundle/trailing_hash.h"
#include "tools/system/jobs.h"

namespace lmc {
namespace fs = std::filesystem;

BundleWriter::BundleWriter(const std::string& path) : path_(path) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  std::error_code ec;
  if (fs::exists(path_, ec) && !fs::exists(fs::path(path_) / "manifest.json", ec)) {
    throw Error(path_ + ": exists and is not a bundle; name another with -o, or move it away");
  }
  const fs::path parent = fs::path(path_).parent_path();
  if (!parent.empty() && !fs::is_directory(parent, ec)) {
    throw Error(path_ + ": the folder " + parent.string() + " does not exist");
  }
  temporary_ = path_ + ".tmp-" + std::to_string(::getpid());
  sweep_beside(path_);
  fs::remove_all(temporary_, ec);
  listed_.emplace(temporary_);
  if (!fs::create_directory(temporary_, ec)) throw Error(path_ + ": cannot write here: " + ec.message());
}

BundleWriter::~BundleWriter() {
  std::error_code ec;
  fs::remove_all(temporary_, ec);
}

void BundleWriter::add(const std::string& file, const std::string& content) {
  write_file(temporary_ + "/" + file, content);
  files_.push_back(file);
}

void BundleWriter::add_own(const std::string& file, const std::string& content) {
  add(rank_file(rank_, file), content);
}

std::vector<std::vector<PackError>> BundleWriter::add_weights(
    const Plan& plan, const WeightPacker& packer, const std::vector<int64_t>& identities, int threads,
    const std::function<void(int64_t, int64_t)>& progress) {
  add_own("plan.json", plan_to_json(plan));
  const SharedWeights shared = rank_ == 0 ? SharedWeights() : shared_with_rank_0(identities);
  for (size_t w = 0; rank_ == 0 && w < identities.size(); ++w) first_.emplace(identities[w], w);
  const WeightsHeader header(plan, shared);
  const std::string file = rank_file(rank_, "weights.safetensors");
  OutputFile out(temporary_ + "/" + file, header.file_bytes);
  out.write_at(0, std::as_bytes(std::span(header.text)));

  struct Job {
    size_t weight;
    int64_t chunk;
  };
  std::vector<Job> jobs;
  std::vector<int64_t> ends;
  for (size_t w = 0; w < packer.weights(); ++w) {
    if (header.offsets[w] < 0) continue;
    for (int64_t c = 0; c < packer.chunks(w); ++c) {
      jobs.push_back({w, c});
      ends.push_back(header.data_start + header.offsets[w] + packer.chunk_offset(w, c) +
                     packer.chunk_bytes(w, c));
    }
  }
  if (ends.empty()) throw Error(path_ + ": the model has no weights");
  ends.back() = header.file_bytes;
  TrailingHash hash(temporary_ + "/" + file, ends);
  std::vector<std::vector<PackError>> errors;
  for (size_t w = 0; w < packer.weights(); ++w) {
    if (header.offsets[w] < 0) {
      errors.push_back(first_errors_[static_cast<size_t>(shared[w])]);
    } else {
      errors.emplace_back(static_cast<size_t>(packer.rows(w)));
    }
  }
  std::mutex mutex;
  int64_t done = 0;
  run_jobs(threads, jobs.size(), [&](size_t i) {
    const Job& job = jobs[i];
    std::vector<std::byte> bytes(static_cast<size_t>(packer.chunk_bytes(job.weight, job.chunk)));
    packer.pack(job.weight, job.chunk, bytes, errors[job.weight]);
    out.write_at(header.data_start + header.offsets[job.weight] + packer.chunk_offset(job.weight, job.chunk),
                 bytes);
    out.start_sync(
        header.data_start + header.offsets[job.weight] + packer.chunk_offset(job.weight, job.chunk),
        static_cast<int64_t>(bytes.size()));
    hash.written(i);
    const std::lock_guard lock(mutex);
    done += static_cast<int64_t>(bytes.size());
    progress(done, header.file_bytes);
  });
  out.close();
  weight_hashes_[file] = hash.finish();
  files_.push_back(file);
  if (rank_ == 0) first_errors_ = errors;
  if (!shared.empty()) shared_weights_[std::to_string(rank_)] = shared;
  return errors;
}

// Empty if there are none, and where a rank would have nothing of its own.
SharedWeights BundleWriter::shared_with_rank_0(const std::vector<int64_t>& identities) const {
  SharedWeights out;
  for (const int64_t id : identities) {
    const auto known = first_.find(id);
    out.push_back(known == first_.end() ? -1 : static_cast<int64_t>(known->second));
  }
  const auto shared = [](int64_t at) { return at >= 0; };
  if (std::none_of(out.begin(), out.end(), shared) || std::all_of(out.begin(), out.end(), shared))
    out.clear();
  return out;
}

void BundleWriter::commit(const BundleInfo& info, const Plan& plan, const SigningKey* key) {
  nlohmann::ordered_json files;
  for (const std::string& f : files_) {
    const std::string at = temporary_ + "/" + f;
    files[f] = {{"bytes", fs::file_size(at)},
                {"sha256", is_weight_file(f) ? weight_hashes_.at(f) : sha256_of_file(at)}};
  }
  nlohmann::ordered_json manifest = {{"format", kBundleFormat},
                                     {"lmc", kLmcVersion},
                                     {"target", plan.target},
                                     {"model", info.model},
                                     {"source", info.source},
                                     {"adapters", info.adapters},
                                     {"layers", info.layers},
                                     {"tensors", info.tensors},
                                     {"parameters", info.parameters},
                                     {"passes", info.summaries},
                                     {"bos_ids", info.bos_ids},
                                     {"eos_ids", info.eos_ids},
                                     {"sampling", info.sampling},
                                     {"example_prompt", info.example_prompt},
                                     {"files", files}};
  if (plan.ranks > 1) manifest["ranks"] = plan.ranks;
  if (!shared_weights_.empty()) manifest["shared_weights"] = shared_weights_;
  const std::string text = manifest.dump(1) + "\n";
  add("manifest.json", text);
  if (key != nullptr) add(kSignatureFile, key->sign(text));

  // All of it is on the disk before it has its name, so that no power cut leaves a bundle of zeros under it.
  for (const std::string& f : files_) sync_file(temporary_ + "/" + f);
  sync_file(temporary_);
  put_in_place();
  const std::string parent = fs::path(path_).parent_path().string();
  sync_file(parent.empty() ? "." : parent);
}

void BundleWriter::put_in_place() {
  check_mapped_files();
  // Exchanged in one step with what was there, so that a bundle of this name exists at every moment.
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) return;
  if (::rename(temporary_.c_str(), path_.c_str()) == 0) return;
  throw Error(path_ + ": cannot put the bundle in place: " + std::strerror(errno));
}

}  // namespace lmc
