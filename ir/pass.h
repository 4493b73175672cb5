// What a pass is: a named transformation of a graph, registered by the file that holds it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/weight_sources.h"

namespace lmc {

// One source projection and what quantize decided about it.
struct LedgerEntry {
  std::vector<WeightRows> sources;  // of the checkpoint
  int64_t rows = 0, cols = 0;
  std::string rule;    // "max(768, 3072) >= 768"
  std::string format;  // "q8_0", "f32", …
  int64_t bytes_before = 0, bytes_after = 0;

  std::string tensor() const;  // "h.0.attn.c_attn.weight[0:768]"
};

// What one run of one pass may ask and leave behind.
struct PassContext {
  std::map<std::string, std::string> settings;  // --set pass.key=value, without "pass."
  int64_t limit = INT64_MAX;                    // most applications
  int64_t applications = 0;
  std::vector<std::string> remarks;
  std::vector<std::string> near_misses;  // where a pattern almost matched, and what refused
  std::string summary;                   // one line for the user, "fused 12 QKV triples"
  std::vector<LedgerEntry> ledger;

  std::string setting(const std::string& key, const std::string& fallback) const {
    const auto it = settings.find(key);
    return it == settings.end() ? fallback : it->second;
  }
};

struct PassSetting {
  std::string key, doc;
};

// Passes of one phase run together, phase after phase.
enum class PassPhase : uint8_t {
  optimise,     // the model
  lower_model,  // the model, behind the last optimisation: what both of its steps share
  lower_step,   // once for the step of one token, once for blocks of tokens
};

class Pass {
 public:
  virtual ~Pass() = default;

  virtual std::string name() const = 0;
  virtual std::string doc() const = 0;
  virtual std::vector<std::string> after() const { return {}; }
  virtual std::vector<std::string> before() const { return {}; }
  virtual PassPhase phase() const { return PassPhase::optimise; }
  // Passes that want the same ops: by price the manager decides who is first, and gives the other what is
  // left.
  virtual std::vector<std::string> rivals() const { return {}; }
  // Exact passes leave every result unchanged to rounding; the others state their error.
  virtual bool exact() const { return true; }
  // Judged by logits alone if not: a pass that leaves out a layer leaves other caches behind.
  virtual bool compares_caches() const { return true; }
  // In the pipeline unless asked for otherwise; the others run when they are named (--enable-pass, --passes).
  virtual bool standard() const { return true; }
  virtual std::vector<PassSetting> settings() const { return {}; }
  virtual std::string text() const { return ""; }     // as an .lmpass file, if it is a pattern pass
  virtual std::string example() const { return ""; }  // a graph to show it on, in text form
  // Returns whether the graph changed; the manager checks that it is the truth. Holds no state between runs.
  virtual bool run(Graph& g, PassContext& context) const = 0;
};

// For static objects, of the program or of a plugin.
struct RegisterPass {
  explicit RegisterPass(std::unique_ptr<Pass> pass);
};

// A setting that does not fit the graph it meets: a mistake of the user's, which no graph helps to find.
struct SettingError : Error {
  using Error::Error;
};

// All registered passes in the order they run, phase by phase. Error for a circle, or two of one name.
std::vector<const Pass*> ordered_passes();
// The order of any passes: .after and .before respected, names deciding where they leave it open.
std::vector<const Pass*> order_passes(const std::vector<const Pass*>& passes);
const Pass& find_pass(const std::string& name);  // Error naming the nearest, or all
bool is_pass(const std::string& name);

// Adds passes that `file` holds, loaded with `flag` (--pass or --load-pass). Error, and nothing is added, if
// a name is taken or the order would go in a circle.
void register_passes(std::vector<std::unique_ptr<Pass>> passes, const std::string& flag,
                     const std::string& file);
// The passes that static objects registered since there were `count`: taken out again, to be looked at.
size_t registered_count();
std::vector<std::unique_ptr<Pass>> take_registered_since(size_t count);
// "--pass mine.lmpass": what a command line needs to know the pass; "" for those built in.
std::string origin_flags(const std::string& pass);

}  // namespace lmc
