// The bundle: a compiled model as a folder of files that standard tools open (DESIGN §8).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "ir/plan.h"
#include "ir/temporaries.h"
#include "runtime/arena.h"
#include "tools/bundle/bundle_format.h"
#include "tools/bundle/signature.h"
#include "tools/system/files.h"

namespace lmc {

struct BundleManifest;

// What a bundle holds besides kernels and weights.
struct BundleInfo {
  std::string model;                  // "gemma3"
  std::string source;                 // checkpoint or "random weights, seed 1"
  std::vector<std::string> adapters;  // merged: "FOLDER=1"
  std::vector<int32_t> eos_ids;
  std::vector<int32_t> bos_ids;
  std::map<std::string, double> sampling;  // what the checkpoint's makers advise: temperature, top_k, …
  std::string example_prompt;
  int64_t layers = 0, tensors = 0, parameters = 0;  // of the checkpoint; tied parameters once
  std::vector<std::string> summaries;               // of the passes: "fused 12 QKV triples"
};

// Writes a bundle under a temporary name and puts it in place when it is complete; a destructor without
// commit() leaves nothing behind. Refuses (Error) to replace anything that is not a bundle.
class BundleWriter {
 public:
  explicit BundleWriter(const std::string& path);
  ~BundleWriter();
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;

  void add(const std::string& file, const std::string& content);
  // Of a bundle for several ranks: what each has for itself is called by its number (rank_file()), from then
  // on until the next call. Rank 0 comes first.
  void begin_rank(int64_t rank) { rank_ = rank; }
  void add_own(const std::string& file, const std::string& content);
  // The rank's plan, and its weights, but for those that rank 0 has stored already. Packs them with `threads`
  // threads, calling `progress` with bytes done and in all now and then; what it throws ends the packing.
  // Returns the packing error of each row of each weight. `identities`: of each weight, by which those of
  // several ranks are told to be the same (tools/bundle/weight_identity.h).
  std::vector<std::vector<PackError>> add_weights(
      const Plan& plan, const WeightPacker& packer, const std::vector<int64_t>& identities, int threads,
      const std::function<void(int64_t done, int64_t total)>& progress);
  // Of the model that all ranks' plans are for. Signed by `key`, if there is one.
  void commit(const BundleInfo& info, const Plan& plan, const SigningKey* key = nullptr);

 private:
  void put_in_place();

  std::string path_, temporary_;
  std::optional<Temporary> listed_;  // temporary_
  std::vector<std::string> files_;
  std::map<std::string, std::string> weight_hashes_;  // of the weights' files that are written
  SharedWeights shared_with_rank_0(const std::vector<int64_t>& identities) const;

  int64_t rank_ = 0;
  std::map<int64_t, size_t> first_;                      // rank 0's weights, by identity
  std::vector<std::vector<PackError>> first_errors_;     // of rank 0's weights
  std::map<std::string, SharedWeights> shared_weights_;  // by rank, for the manifest
};

// A bundle that was checked: versions, target, sizes, hashes of everything but the weights; and where there
// are trusted_keys(), its signature and the weights' hash.
class Bundle {
 public:
  // A rank's part of it. Error saying what is wrong and what to do.
  explicit Bundle(const std::string& path, int64_t rank = 0);

  std::string path;
  BundleInfo info;
  int64_t rank = 0;
  Plan plan;
  std::string kernels;                                                    // kernels.o
  const std::vector<const void*>& weights() const { return addresses_; }  // one per plan.weights
  std::span<const std::byte> weight_file() const {
    return mapped_ ? mapped_->bytes() : std::span<const std::byte>(own_.data(), own_bytes_);
  }
  // From now on weights() are in memory of this process, read once, instead of mapped: as much memory again
  // as the system keeps of the file. (What ranks share stays mapped.) Error if it cannot be reserved
  // (systems promise more than they have), or the file became shorter.
  void read_weights();
  bool has_tokenizer() const;
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string own_file(const std::string& name) const;  // this rank's
  // Full verification, weights included: for `lmc inspect --verify`. Error naming the damaged file.
  void verify_weights() const;
  // Error naming this rank's weights, if `hash` is not theirs.
  void check_weight_hash(const std::string& hash) const;

 private:
  Bundle(const std::string& path, const BundleManifest& manifest, int64_t rank);

  void find_shared(const BundleManifest& manifest);

  std::map<std::string, std::string> weight_hashes_;  // by file
  std::optional<MappedFile> mapped_;                  // the file of weights, until read_weights()
  Arena own_;                                         // from then on
  size_t own_bytes_ = 0;
  std::optional<MappedFile> first_mapped_;  // rank 0's, of which only what is shared is touched
  std::vector<const void*> addresses_;      // by weight
};

// The newest *.lmc in the current folder, or Error.
std::string newest_bundle();

}  // namespace lmc
