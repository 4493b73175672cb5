#include "tools/build/auto_quant/byte_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ir/block_format.h"
#include "tools/build/auto_quant/divergence.h"
#include "tools/build/auto_quant/lookups.h"
#include "tools/build/auto_quant/within_bytes.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

std::vector<DType> quantised_formats() {
  std::vector<DType> out;
  for (const BlockFormat* f : block_formats()) {
    if (is_quantised(f->dtype)) out.push_back(f->dtype);
  }
  return out;
}

int64_t bytes(const Type& t, DType format) { return storage_bytes(format, t.elements(), t.last()); }

class ByteChoice {
 public:
  ByteChoice(Trials& trials, const ByteBudget& budget) : trials_(trials), budget_(budget) {}

  std::string choose(const std::function<Sequences(Session&)>& sequences) {
    const std::vector<std::string> tables = lmc::tables(trials_.model().graph);
    const auto is_table = [&](const std::vector<std::string>& tensors) {
      return tensors.size() == 1 && std::find(tables.begin(), tables.end(), tensors[0]) != tables.end();
    };
    // What a format for everything makes of each: of projections that, of tables nothing.
    std::map<std::vector<std::string>, DType> formats;
    for (const auto& m : trials_.compiled("q8_0").matrices()) formats[m.tensors] = m.type.dtype;
    {
      PackedModel unquantised = trials_.compiled("none");
      for (auto& m : unquantised.matrices()) {
        const auto format = formats.find(m.tensors);
        if (format == formats.end()) continue;
        Candidate c{std::move(m), std::nullopt};
        if (is_table(format->first))
          c.otherwise = format->second;
        else if (format->second != DType::q8_0)
          continue;
        candidates_.push_back(std::move(c));
      }
      check_budget();
      Sequences s = sequences(unquantised.session());
      reference_.emplace(unquantised.session(), std::move(s));
      measure(unquantised);
    }
    std::vector<size_t> chosen = *least_within(prices_, allowed());
    std::string rules = rules_for(chosen);
    double kl = divergence(rules);
    // Prices add up only nearly: what they say is held to what it is measured by.
    if (const auto* uniform = std::get_if<DType>(&budget_.as)) {
      const double of_uniform = divergence(dtype_name(*uniform));
      info("auto: {} throughout: KL {:.3g}", dtype_name(*uniform), of_uniform);
      if (of_uniform <= kl) {
        kl = of_uniform;
        rules = dtype_name(*uniform);
        const auto place = std::find(formats_.begin(), formats_.end(), *uniform) - formats_.begin();
        for (size_t i = 0; i < chosen.size(); ++i)
          chosen[i] = candidates_[i].otherwise ? formats_.size() : static_cast<size_t>(place);
      }
    }
    info("auto: {}: KL {:.3g} over {} tokens, {} of {} ({})", count(chosen), kl, reference_->tokens(),
         human_bytes(static_cast<double>(taken(chosen))), human_bytes(static_cast<double>(allowed())),
         budget_.text);
    return rules;
  }

 private:
  struct Candidate {
    PackedModel::Matrix matrix;
    std::optional<DType> otherwise;  // of a table: as no pattern would have it
  };

  int64_t allowed() const {
    double sum = 0;
    for (const auto& [m, otherwise] : candidates_) {
      if (const auto* bits = std::get_if<double>(&budget_.as)) {
        sum += *bits / 8 * static_cast<double>(m.type.elements());
      } else {
        sum += static_cast<double>(bytes(m.type, otherwise.value_or(std::get<DType>(budget_.as))));
      }
    }
    return static_cast<int64_t>(std::min(sum, 1e18));
  }

  void check_budget() const {
    double least = 0, numbers = 0;
    for (const auto& [m, otherwise] : candidates_) {
      int64_t shortest = otherwise ? bytes(m.type, *otherwise) : INT64_MAX;
      for (const DType f : formats_) shortest = std::min(shortest, bytes(m.type, f));
      least += static_cast<double>(shortest);
      numbers += static_cast<double>(m.type.elements());
    }
    if (static_cast<double>(allowed()) < least)
      throw Error(
          fmt::format("--budget {}: in the shortest formats there are, the weights have {:.4g} bits each",
                      budget_.text, 8 * least / numbers));
  }

  // What each format of each weight alone adds to the divergence; last, of a table, that it stays.
  void measure(PackedModel& model) {
    Progress progress("measuring weights");
    for (const auto& [m, otherwise] : candidates_) {
      auto& of_weight = prices_.emplace_back();
      for (const DType f : formats_) {
        const PackedModel::Rounding rounding(model, m, f);
        of_weight.push_back({reference_->kl(model.session()), bytes(m.type, f)});
        if (log_level() >= LogLevel::debug)
          info("  {} in {}: KL {:.3g}, {}", m.tensors[0], dtype_name(f), of_weight.back().kl,
               human_bytes(static_cast<double>(of_weight.back().bytes)));
        stop_if_interrupted();
      }
      if (otherwise) of_weight.push_back({0, bytes(m.type, *otherwise)});
      progress.update(static_cast<int64_t>(prices_.size()), static_cast<int64_t>(candidates_.size()));
    }
  }

  double divergence(const std::string& rules) {
    PackedModel trial = trials_.compiled(rules);
    return reference_->kl(trial.session());
  }

  int64_t taken(const std::vector<size_t>& chosen) const {
    int64_t sum = 0;
    for (size_t i = 0; i < chosen.size(); ++i) sum += prices_[i][chosen[i]].bytes;
    return sum;
  }

  // "12 weights in q6_k, 13 in q4_k"
  std::string count(const std::vector<size_t>& chosen) const {
    std::string out;
    for (size_t f = 0; f < formats_.size(); ++f) {
      const auto n = std::count(chosen.begin(), chosen.end(), f);
      if (n > 0) out += fmt::format("{}{} in {}", out.empty() ? "" : ", ", n, dtype_name(formats_[f]));
    }
    const auto kept = std::count(chosen.begin(), chosen.end(), formats_.size());
    if (kept > 0) out += fmt::format(", {} as before", kept);
    return out + fmt::format(" of {} weights", chosen.size());
  }

  // The format of most projections for everything, so that there are few others.
  std::string rules_for(const std::vector<size_t>& chosen) const {
    size_t most = 0;
    const auto uses = [&](size_t f) {
      size_t n = 0;
      for (size_t i = 0; i < chosen.size(); ++i) n += chosen[i] == f && !candidates_[i].otherwise;
      return n;
    };
    for (size_t f = 1; f < formats_.size(); ++f) {
      if (uses(f) > uses(most)) most = f;
    }
    std::vector<QuantException> others;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto& [m, otherwise] = candidates_[i];
      const bool said = otherwise ? chosen[i] == formats_.size() : chosen[i] == most;
      if (!said) others.push_back({m.tensors, formats_[chosen[i]]});
    }
    return rules_of(formats_[most], others);
  }

  Trials& trials_;
  const ByteBudget& budget_;
  const std::vector<DType> formats_ = quantised_formats();
  std::vector<Candidate> candidates_;
  std::optional<ReferencePredictions> reference_;
  std::vector<std::vector<FormatPrice>> prices_;  // of each matrix, by format
};

}  // namespace

std::string choose_within_bytes(Trials& trials, const ByteBudget& budget,
                                const std::function<Sequences(Session&)>& sequences) {
  return ByteChoice(trials, budget).choose(sequences);
}

}  // namespace lmc
