#!/usr/bin/env python3
"""No two headers define a class of one full name: the folders are libraries of one process, where such a class would be
two things under one symbol, and which code is taken for it chance."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = ["ir", "passes", "codegen", "runtime", "models", "grammar", "tools"]
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
MARKS = re.compile(r"namespace\s*([\w:]*)\s*\{"
                   r"|\b(?:struct|class|union|enum(?:\s+class)?)\s+(\w+)\s*(?:final\s*)?(?::(?!:)[^;{}()]*)?\{|[{}]")


def classes(text):
    """Full names of what is defined at namespace scope."""
    around = []  # names of namespaces; None: any other brace
    for mark in MARKS.finditer(NOISE.sub("", text)):
        if mark[0] == "}":
            if around:
                around.pop()
        elif mark[0].startswith("namespace"):
            around.append(mark[1] or "(anonymous)")
        else:
            if mark[2] and None not in around:
                yield "::".join([*around, mark[2]])
            around.append(None)


defined = collections.defaultdict(list)
for folder in FOLDERS:
    for header in sorted((ROOT / folder).rglob("*.h")):
        for name in classes(header.read_text()):
            defined[name].append(str(header.relative_to(ROOT)))
twice = {name: files for name, files in defined.items() if len(set(files)) > 1}
for name, files in sorted(twice.items()):
    print(f"{name} is defined in {' and in '.join(files)}")
if len(defined) < 300:
    sys.exit(f"only {len(defined)} classes found: this test does not see what it should")
sys.exit(1 if twice else 0)
