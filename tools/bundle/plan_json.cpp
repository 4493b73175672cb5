#include "tools/bundle/plan_json.h"

#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/plan_check.h"
#include "ir/printable.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

const char* const kSpaces[] = {"arena", "weight", "kv", "input", "output"};

ordered_json type_json(const Type& t) { return {{"dtype", dtype_name(t.dtype)}, {"dims", t.dims}}; }

ordered_json work_json(const StageWork& w) {
  return {{"family", w.family},
          {"core", w.core},
          {"role", w.role},
          {"input", w.input},
          {"weight", w.weight},
          {"format", w.format ? dtype_name(*w.format) : ""},
          {"heads", w.heads},
          {"over_rows", w.over_rows},
          {"ahead", w.ahead},
          {"behind", w.behind},
          {"ops", w.ops},
          {"weight_bytes", w.weight_bytes},
          {"flops", w.flops},
          {"products", w.products},
          {"rows", {w.rows.ops, w.rows.exps}},
          {"prologue", {w.prologue.ops, w.prologue.exps}},
          {"attention",
           {{"flops", w.attention.flops},
            {"bytes", w.attention.bytes},
            {"span", w.attention.span},
            {"kv_heads", w.attention.kv_heads},
            {"chunk", w.attention.chunk}}}};
}

ordered_json step_json(const StepPlan& step) {
  ordered_json stages = ordered_json::array();
  for (const PlanStage& s : step.stages) {
    ordered_json operands = ordered_json::array();
    for (const PlanOperand& o : s.operands) {
      operands.push_back({{"space", kSpaces[static_cast<size_t>(o.space)]},
                          {"index", o.index},
                          {"offset", o.offset},
                          {"written", o.written},
                          {"bytes", o.bytes},
                          {"buffer", o.buffer}});
    }
    stages.push_back({{"symbol", s.symbol},
                      {"scope", s.scope},
                      {"work", work_json(s.work)},
                      {"tiles", s.tiles},
                      {"operands", operands},
                      {"deps", s.deps}});
    if (s.gather) {
      stages.back()["gather"] = {
          {"bytes", s.gather->bytes}, {"rank", s.gather->rank}, {"stride", s.gather->stride}};
      if (!s.gather->to.empty()) stages.back()["gather"]["to"] = s.gather->to;
    }
  }
  ordered_json buffers = ordered_json::array();
  for (const PlanBuffer& b : step.buffers)
    buffers.push_back({{"name", b.name}, {"bytes", b.bytes}, {"offset", b.offset}});
  return {{"max_tokens", step.max_tokens},
          {"max_rows", step.max_rows},
          {"arena_bytes", step.arena_bytes},
          {"scratch_bytes", step.scratch_bytes},
          {"kept_bytes", step.kept_bytes},
          {"argmax_stage", step.argmax_stage},
          {"buffers", buffers},
          {"stages", stages}};
}

void check(bool ok, const std::string& what) {
  if (!ok) throw Error(what);
}

Type type_from(const json& j) {
  const auto dtype = dtype_from_name(j.at("dtype").get<std::string>());
  check(dtype.has_value(), "unknown format");
  return {*dtype, whole_numbers<int64_t>(j.at("dims"))};
}

int64_t size_from(const json& j, const char* field) {
  const auto n = whole_number<int64_t>(j.at(field));
  check(n >= 0 && n < (int64_t{1} << 48), std::string("'") + field + "' is out of range");
  return n;
}

PlanOperand operand_from(const json& j) {
  PlanOperand o;
  const auto space = j.at("space").get<std::string>();
  size_t s = 0;
  while (s < std::size(kSpaces) && space != kSpaces[s]) ++s;
  check(s < std::size(kSpaces), "unknown space '" + space + "'");
  o.space = static_cast<Space>(s);
  o.index = size_from(j, "index");
  o.offset = size_from(j, "offset");
  o.bytes = size_from(j, "bytes");
  o.written = j.at("written").get<bool>();
  o.buffer = whole_number<int64_t>(j.at("buffer"));
  return o;
}

RowWork rows_from(const json& j) { return {j.at(0), j.at(1)}; }

StageWork work_from(const json& j) {
  StageWork w;
  w.family = j.at("family");
  w.core = j.at("core");
  w.role = j.at("role");
  w.input = whole_numbers<int64_t>(j.at("input"));
  w.weight = whole_numbers<int64_t>(j.at("weight"));
  if (const auto format = j.at("format").get<std::string>(); !format.empty()) {
    w.format = dtype_from_name(format);
    check(w.format.has_value(), "unknown format");
  }
  w.heads = size_from(j, "heads");
  w.over_rows = j.at("over_rows").get<bool>();
  w.ahead = j.at("ahead").get<std::vector<std::string>>();
  w.behind = j.at("behind").get<std::vector<std::string>>();
  w.ops = whole_numbers<int32_t>(j.at("ops"));
  w.weight_bytes = j.at("weight_bytes");
  w.flops = j.at("flops");
  w.products = j.at("products");
  w.rows = rows_from(j.at("rows"));
  w.prologue = rows_from(j.at("prologue"));
  const json& a = j.at("attention");
  w.attention = {a.at("flops"), a.at("bytes"), size_from(a, "span"), size_from(a, "kv_heads"),
                 size_from(a, "chunk")};
  return w;
}

StepPlan step_from(const json& j) {
  StepPlan step;
  step.max_tokens = size_from(j, "max_tokens");
  step.max_rows = size_from(j, "max_rows");
  step.arena_bytes = size_from(j, "arena_bytes");
  step.scratch_bytes = size_from(j, "scratch_bytes");
  step.kept_bytes = size_from(j, "kept_bytes");
  for (const json& b : j.at("buffers"))
    step.buffers.push_back({b.at("name"), size_from(b, "bytes"), size_from(b, "offset")});
  for (const json& s : j.at("stages")) {
    PlanStage stage;
    stage.symbol = s.at("symbol");
    stage.scope = s.at("scope");
    stage.work = work_from(s.at("work"));
    stage.tiles = size_from(s, "tiles");
    check(stage.tiles < (1 << 20), "'tiles' is out of range");
    for (const json& o : s.at("operands")) stage.operands.push_back(operand_from(o));
    for (const json& d : s.at("deps")) {
      stage.deps.push_back(whole_number<int32_t>(d));
      check(stage.deps.back() >= 0 && stage.deps.back() < static_cast<int32_t>(step.stages.size()),
            "a stage waits for a later one");
    }
    if (s.contains("gather")) {
      const json& g = s.at("gather");
      stage.gather = {
          whole_numbers<int64_t>(g.at("bytes")), size_from(g, "rank"), size_from(g, "stride"), {}};
      if (g.contains("to")) stage.gather->to = whole_numbers<int64_t>(g.at("to"));
    }
    step.stages.push_back(std::move(stage));
  }
  step.argmax_stage = whole_number<int64_t>(j.at("argmax_stage"));
  check(step.argmax_stage >= -1 && step.argmax_stage < static_cast<int64_t>(step.stages.size()),
        "'argmax_stage' is out of range");
  return step;
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  ordered_json weights = ordered_json::array();
  for (const PlanWeight& w : plan.weights) {
    weights.push_back(
        {{"name", w.name}, {"layout", w.layout}, {"type", type_json(w.type)}, {"bytes", w.bytes}});
  }
  ordered_json caches = ordered_json::array();
  for (const PlanCache& c : plan.caches) {
    caches.push_back({{"name", c.name},
                      {"dtype", dtype_name(c.dtype)},
                      {"span", c.span},
                      {"capacity", c.capacity},
                      {"kv_heads", c.kv_heads},
                      {"key_dim", c.key_dim},
                      {"value_dim", c.value_dim},
                      {"bytes", c.bytes}});
  }
  ordered_json out = {{"target", plan.target},
                      {"model", plan.model},
                      {"context", plan.context},
                      {"vocab", plan.vocab},
                      {"rope_border", plan.rope_border},
                      {"weights", weights},
                      {"caches", caches},
                      {"decode", step_json(plan.decode)},
                      {"prefill", step_json(plan.prefill)}};
  if (!plan.hidden.stages.empty()) {
    out["hidden"] = step_json(plan.hidden);
    out["hidden_size"] = plan.hidden_size;
  }
  if (!plan.draft.stages.empty()) out["draft"] = step_json(plan.draft);
  if (plan.ranks > 1) {
    out["ranks"] = plan.ranks;
    out["rank"] = plan.rank;
  }
  return out.dump(1) + "\n";
}

Plan plan_from_json(const std::string& text, const std::string& file) {
  try {
    const json j = parse_json(text, file);
    Plan plan;
    plan.target = j.at("target");
    plan.model = j.at("model");
    plan.context = size_from(j, "context");
    plan.vocab = size_from(j, "vocab");
    plan.rope_border = size_from(j, "rope_border");
    if (j.contains("ranks")) {
      plan.ranks = size_from(j, "ranks");
      plan.rank = size_from(j, "rank");
    }
    for (const json& w : j.at("weights")) {
      plan.weights.push_back({w.at("name"), w.at("layout"), type_from(w.at("type")), size_from(w, "bytes")});
    }
    for (const json& c : j.at("caches")) {
      const auto dtype = dtype_from_name(c.at("dtype").get<std::string>());
      check(dtype.has_value() && is_kv(*dtype), "unknown cache format");
      plan.caches.push_back({c.at("name"), *dtype, size_from(c, "span"), size_from(c, "capacity"),
                             size_from(c, "kv_heads"), size_from(c, "key_dim"), size_from(c, "value_dim"),
                             size_from(c, "bytes")});
    }
    plan.decode = step_from(j.at("decode"));
    plan.prefill = step_from(j.at("prefill"));
    if (j.contains("hidden")) {
      plan.hidden = step_from(j.at("hidden"));
      plan.hidden_size = size_from(j, "hidden_size");
    }
    if (j.contains("draft")) plan.draft = step_from(j.at("draft"));
    check_plan(plan);
    for (const PlanWeight& w : plan.weights)
      check(is_printable_name(w.name), "a weight's name holds control characters");
    for (const PlanCache& c : plan.caches)
      check(is_printable_name(c.name), "a cache's name holds control characters");
    return plan;
  } catch (const json::exception& e) {
    throw Error(file + ": " + e.what());
  } catch (const Error& e) {
    throw Error(file + ": " + e.what());
  }
}

}  // namespace lmc
