"""Prints the schemas that tests/cli/schemas.sh asks for answers under, one a line: those of real.jsonl beside it, then
random ones, the same for every run: make.py COUNT. Every one has valid values and is taken by lmc."""
import json
import pathlib
import random
import sys


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)  # of it only random(), which is the same in every Python

    def below(self, n):
        return int(self.random.random() * n)

    def pick(self, of):
        return of[self.below(len(of))]

    def chance(self, p):
        return self.random.random() < p

    def some(self, of, least=0):
        kept = [x for x in of if self.chance(0.5)]
        return kept if len(kept) >= least else list(of[:least])

    def schema(self, depth):
        leaves = [self.string, self.string, self.integer, self.number, self.values, self.plain]
        inner = [self.object, self.object, self.array, self.tuple, self.map, self.any_of, self.one_of, self.all_of,
                 self.if_then, self.refused, self.extended]
        return self.pick(leaves if depth == 0 else leaves + inner + inner)(depth)

    def string(self, depth):
        out = {"type": "string"}
        kind = self.below(4)
        if kind == 0:
            out["maxLength"] = 1 + self.below(12)
            if self.chance(0.5):
                out["minLength"] = self.below(out["maxLength"] + 1)
        elif kind == 1:
            out["format"] = self.pick(["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri",
                                       "uuid", "json-pointer"])
        elif kind == 2:
            out["pattern"] = self.pick(["^[a-z]{1,8}$", "^[A-Z]{2}-[0-9]{4,6}$", "^(red|green|blue)$", "^[^a-z]{1,5}$",
                                        "^\"?[\\w.]{2,9}\"?$", "a[bc]+", "^#[0-9a-f]{6}$", "\u00e9$", "^.{3,6}\\\\$"])
        else:
            out["maxLength"] = 40
        return out

    def integer(self, depth):
        out = {"type": "integer"}
        if self.chance(0.7):
            least = self.below(2000) - 1000
            out[self.pick(["minimum", "exclusiveMinimum"])] = least
            if self.chance(0.7):
                out[self.pick(["maximum", "exclusiveMaximum"])] = least + 20 + self.below(10 ** (1 + self.below(6)))
        if self.chance(0.3):
            out["multipleOf"] = 1 + self.below(20)
        return out

    def number(self, depth):
        out = {"type": "number"}
        if self.chance(0.7):
            least = (self.below(4000) - 2000) / 8
            out[self.pick(["minimum", "exclusiveMinimum"])] = least
            if self.chance(0.7):
                out[self.pick(["maximum", "exclusiveMaximum"])] = least + (1 + self.below(10000)) / 4
        if self.chance(0.2):
            out["multipleOf"] = self.pick([0.25, 0.5, 1, 0.125])
        return out

    def value(self):
        return self.pick([None, True, False, self.below(100), -1.5, "a b", "\"q\"", "\n", "", "\u00fc", "x" * 9, 10 ** 9])

    def values(self, depth):
        if self.chance(0.3):
            return {"const": self.value()}
        return {"enum": list({json.dumps(v): v for v in [self.value() for _ in range(1 + self.below(6))]}.values())}

    def plain(self, depth):
        return self.pick([{"type": "null"}, {"type": "boolean"}, {"type": ["integer", "null"], "maximum": 9},
                          {"type": ["boolean", "string"], "maxLength": 3}])

    def names(self, most):
        return ["id", "name", "a/b", "tags", "x y", "\u00e9t\u00e9", "value", "kind"][:1 + self.below(most)]

    def object(self, depth):
        names = self.names(6)
        out = {"type": "object", "properties": {n: self.schema(depth - 1) for n in names}, "required": self.some(names)}
        out["additionalProperties"] = self.pick([False, False, {"type": "integer"}])
        if out["additionalProperties"] is False:
            if self.chance(0.2):
                out["minProperties"] = self.below(len(names) + 1)
            if self.chance(0.2):
                out["maxProperties"] = max(len(out["required"]), out.get("minProperties", 0), self.below(len(names) + 1))
        elif self.chance(0.3):
            out["maxProperties"] = len(names) + self.below(3)
        if self.chance(0.2):
            out["dependentRequired"] = {self.pick(names): self.some(names)}
            out.pop("maxProperties", None)
        return out

    def map(self, depth):
        out = {"type": "object", "patternProperties": {"^[a-m]{1,4}$": self.schema(depth - 1)}, "maxProperties": 1 + self.below(4)}
        if self.chance(0.5):
            out["additionalProperties"] = False
        else:
            out["propertyNames"] = self.pick([{"maxLength": 4}, {"pattern": "^[a-z]+$"}, {"enum": ["a", "zz", "by"]}])
            out["additionalProperties"] = {"type": "boolean"}
        return out

    def array(self, depth):
        kind = self.below(6)
        if kind == 0:
            return {"type": "array", "items": {"enum": [1, "a", None, 2.5, True][:2 + self.below(4)]}, "uniqueItems": True,
                    "minItems": self.below(3)}
        out = {"type": "array", "items": self.schema(depth - 1), "maxItems": 1 + self.below(4)}
        if kind == 1:
            out["items"] = {"type": ["integer", "string"], "maxLength": 5}
            out["contains"] = {"type": "integer"}
            out["maxItems"] = 4 + self.below(3)
            if self.chance(0.5):
                out["minContains"] = self.below(4)
            if self.chance(0.5):
                out["maxContains"] = max(out.get("minContains", 1), self.below(4))
        elif self.chance(0.5):
            out["minItems"] = self.below(out["maxItems"] + 1)
        return out

    def tuple(self, depth):
        out = {"type": "array", "prefixItems": [self.schema(depth - 1) for _ in range(1 + self.below(3))]}
        out["items"] = self.pick([False, {"type": "boolean"}])
        out["minItems"] = self.below(len(out["prefixItems"]) + 1)
        if out["items"]:
            out["maxItems"] = len(out["prefixItems"]) + self.below(3)
        return out

    def any_of(self, depth):
        return {"anyOf": [self.schema(depth - 1) for _ in range(2 + self.below(2))]}

    def one_of(self, depth):
        if self.chance(0.3):
            return {"type": "integer", "oneOf": [{"multipleOf": 3}, {"multipleOf": 5}], "minimum": 0, "maximum": 999}
        ways = []
        for tag in ["circle", "square", "line"][:2 + self.below(2)]:
            ways.append({"type": "object", "properties": {"kind": {"const": tag}, "of": self.schema(depth - 1)},
                         "required": ["kind", "of"], "additionalProperties": False})
        return {"oneOf": ways}

    def all_of(self, depth):
        return {"allOf": [{"type": "object", "properties": {"a": self.schema(depth - 1)}, "required": ["a"]},
                          {"properties": {"a": True, "b": self.schema(depth - 1)}, "required": ["b"],
                           "additionalProperties": False}]}

    def if_then(self, depth):
        return {"type": "object", "properties": {"mode": {"enum": ["on", "off"]}, "v": True, "why": {"type": "string", "maxLength": 9}},
                "if": {"properties": {"mode": {"const": "on"}}, "required": ["mode"]},
                "then": {"properties": {"v": self.schema(depth - 1)}, "required": ["v"]},
                "else": {"properties": {"v": False}, "required": self.some(["why", "mode"])},
                "additionalProperties": False}

    def refused(self, depth):  # by a not
        return self.pick([
            {"type": "string", "maxLength": 8, "not": {"enum": ["", "a", "none"]}},
            {"type": "integer", "minimum": 0, "maximum": 99, "not": {"multipleOf": 7}},
            {"type": ["integer", "string", "null"], "maxLength": 4, "maximum": 5, "not": {"type": "null"}},
            {"type": "number", "minimum": 0, "maximum": 9, "not": {"type": "integer"}},
            {"type": "string", "maxLength": 6, "not": {"pattern": "[0-9 ]"}},
        ])

    def extended(self, depth):
        return {"type": "object", "allOf": [{"properties": {"a": self.schema(depth - 1)}}],
                "anyOf": [{"properties": {"b": {"type": "integer"}}, "required": ["b"]},
                          {"properties": {"c": {"type": "null"}}, "required": ["c"]}],
                "properties": {"z": {"type": "boolean"}}, "unevaluatedProperties": False}


def main():
    lines = pathlib.Path(__file__).with_name("real.jsonl").read_text(encoding="utf-8").splitlines()
    count = int(sys.argv[1])
    for line in lines[:count]:
        print(json.dumps(json.loads(line)))
    for seed in range(count - len(lines)):
        print(json.dumps(Maker(seed).schema(2)))


main()
