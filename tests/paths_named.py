"""Every path that a Markdown page names in backticks or links to is there. A path is one that begins with a folder of the
tree, or has a folder and a source's ending; it may be as seen from the root or from the page's folder.
codegen/PERFORMANCE.md is a log: it names things as they were called on the day."""
import glob
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
FOLDERS = "ir|passes|codegen|runtime|models|tools|tests|cmake|docs"
LOG = "codegen/PERFORMANCE.md"
EXAMPLES = {"passes/find_softcap.cpp"}  # what the tutorial's pass would be called
pages = [p for p in root.rglob("*.md") if "build" not in p.relative_to(root).parts]
missing = []
for page in sorted(pages):
    name = page.relative_to(root).as_posix()
    if name == LOG:
        continue
    text = re.sub(r"^```.*?^```$", lambda m: "\n" * m[0].count("\n"), page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        found = [(m, True) for m in re.findall(r"\]\(([^)#: ]+)(?:#[^)]*)?\)", line)]
        for quoted in re.findall(r"`([^`]+)`", line):
            for word in quoted.split():
                if re.fullmatch(rf"((\.\./)*({FOLDERS})/[\w./*{{}},-]*|(?:[\w-]+/)+[\w*-]+\.(?:cpp|h|py|sh|lmir|lmpass|yaml|md|txt|json))", word):
                    found.append((word, False))
        for path, link in found:
            if path in EXAMPLES or pathlib.Path(path).stem in ("NAME", "FOLDER"):  # NAME and FOLDER stand for any
                continue
            bases = [page.parent] if link else [root, page.parent]
            if not any(glob.glob(str(base / path)) for base in bases):
                missing.append(f"{name}:{number}: there is no {path}")
print("\n".join(missing) or f"{len(pages)} pages")
sys.exit(bool(missing))
