"""Validates what answers.py printed by python3-jsonschema: validate.py FILE. Numbers are decimals, as they are written."""
import json
import sys
from decimal import Decimal

import jsonschema

# The formats of 2020-12: a mere FormatChecker() knows draft 3's time, too.
Validator = jsonschema.Draft202012Validator
formats = getattr(Validator, "FORMAT_CHECKER", None) or jsonschema.draft202012_format_checker
wrong = 0
for line in open(sys.argv[1], encoding="utf-8"):
    got = json.loads(line, parse_float=Decimal)
    if not got["whole"]:
        continue
    try:
        value = json.loads(got["text"], parse_float=Decimal)
        Validator(got["schema"], format_checker=formats).validate(value)
    except (ValueError, jsonschema.ValidationError) as e:
        wrong += 1
        print(f"{str(e).splitlines()[0]}: {got['text']} by {line}", end="", file=sys.stderr)
sys.exit(1 if wrong else 0)
