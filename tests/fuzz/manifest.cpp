// A bundle: manifest.json and, behind a zero byte, plan.json. @bytes:NAME@ and @hash:NAME@ in the manifest
// stand for those of the file, which no mutation would find; the weights are what the plan asks for, the
// kernels a stub.
#include <filesystem>
#include <fstream>

#include "codegen/target.h"
#include "ir/error.h"
#include "stub_session.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/bundle_format.h"
#include "tools/bundle/plan_json.h"
#include "tools/system/child.h"

namespace {

using namespace lmc;

// What a bundle of the seeds is compiled for: targets themselves come with LLVM.
class StubTarget : public Target {
 public:
  std::string name() const override { return "stub"; }
  std::string cpu() const override { return ""; }
  std::string features() const override { return ""; }
  std::string triple() const override { return ""; }
  bool supported_here() const override { return true; }
  int preference() const override { return -1; }
  const WeightLayout& layout(DType, int64_t, int64_t) const override { std::abort(); }
  Prepared prepare_int8(llvm::IRBuilderBase&, llvm::Value*) const override { return {}; }
  llvm::Value* dot_int8(llvm::IRBuilderBase&, const Prepared&, llvm::Value*, llvm::Value*) const override {
    return nullptr;
  }
  llvm::Value* start_int8(llvm::IRBuilderBase&, llvm::Value*, int64_t) const override { return nullptr; }
  llvm::Value* start_uint4(llvm::IRBuilderBase&, int64_t) const override { return nullptr; }
  llvm::Value* dot_uint4(llvm::IRBuilderBase&, llvm::Value*, llvm::Value*, llvm::Value*) const override {
    return nullptr;
  }
  llvm::Value* finish_uint4(llvm::IRBuilderBase&, llvm::Value*) const override { return nullptr; }
  llvm::Value* dot_uint6(llvm::IRBuilderBase&, const TwoSteps&, const TwoSteps&,
                         llvm::Value*) const override {
    return nullptr;
  }
};
const StubTarget kTarget;
const RegisterTarget kRegistered(kTarget);

class Folder {
 public:
  void write(const std::string& name, const std::string& content) {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  const std::string& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// The file that the bundle's plan asks for, if that is no more than a few weights.
std::string weights_for(const std::string& plan_text) {
  try {
    const WeightsHeader header(plan_from_json(plan_text, ""));
    if (header.file_bytes < (1 << 20))
      return header.text + std::string(static_cast<size_t>(header.file_bytes - header.data_start), '\0');
  } catch (const Error&) {
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Folder folder;
  std::vector<std::string> parts = fuzz::parts(data, size);
  std::string& manifest = parts[0];
  folder.write("plan.json", parts.size() > 1 ? parts[1] : "");
  folder.write("weights.safetensors", parts.size() > 1 ? weights_for(parts[1]) : "");
  for (const std::string name : {"model.lmir", "kernels.o", "plan.json", "weights.safetensors"}) {
    if (!std::filesystem::exists(folder.path(name))) folder.write(name, "");
    replace_all(manifest, "\"@bytes:" + name + "@\"",
                std::to_string(std::filesystem::file_size(folder.path(name))));
    replace_all(manifest, "@hash:" + name + "@", sha256_of_file(folder.path(name)));
  }
  folder.write("manifest.json", manifest);
  try {
    const Bundle bundle(folder.path());
    fuzz::accepted = true;
    bundle.verify_weights();
    fuzz::describe(bundle.plan);
    if (fuzz::small_enough_to_run(bundle.plan))
      fuzz::use_session(*fuzz::stub_session(bundle.plan, bundle.weights()));
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
