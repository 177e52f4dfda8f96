#!/usr/bin/env python3
"""Checks that the pages speak of what is there: links, files of the tools, targets, and the program's options.

usage: pages.py PROGRAM
PROGRAM is a built wiretag, whose --help is asked.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)")
TOOL = re.compile(r"(?<![\w/.-])tools/[\w./-]*\w")
CALL = re.compile(r"(?:^|[\s`|])(?:tools/)?wiretag ((?:read|live|explain|interfaces|services)\b[^`\n|>#]*)")
# Quoted in the pages as a place that a run makes.
MADE = {"tools/bench/.build-bench"}


def pages():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    names = listed.stdout.split("\n") if listed.returncode == 0 else [
        str(p.relative_to(ROOT)) for p in ROOT.rglob("*.md") if not any(part.startswith(".build") for part in p.parts)]
    return [ROOT / name for name in names if name]


def options_of(program, verb):
    done = subprocess.run([program, verb, "--help"], stdout=subprocess.PIPE, text=True, check=True)
    # Options and what the help says of them, not its examples.
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", done.stdout[done.stdout.index("USAGE:"):]))


def main():
    if len(sys.argv) != 2:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    known, bad, checked = {}, [], 0
    for page in pages():
        text = page.read_text(encoding="utf-8")
        where = page.relative_to(ROOT)
        for target in LINK.findall(text):
            checked += 1
            if not (page.parent / target).exists():
                bad.append(f"{where}: links to {target}, which is not there")
        for tool in TOOL.findall(text):
            checked += 1
            if tool not in MADE and not (ROOT / tool).exists():
                bad.append(f"{where}: names {tool}, which is not there")
        for call in CALL.findall(text):
            verb, *words = call.split(" -- ")[0].split()
            if verb not in known:
                known[verb] = options_of(sys.argv[1], verb)
            for word in words:
                if re.fullmatch(r"--?[a-zA-Z].*", word):
                    checked += 1
                    if word.split("=")[0].rstrip(".,)") not in known[verb]:
                        bad.append(f"{where}: wiretag {verb} has no option {word}")
    layout = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    docs = (ROOT / "Sources/Engine/Wiretag.docc/Wiretag.md").read_text(encoding="utf-8")
    for folder in sorted((ROOT / "Sources").iterdir()):
        # The C targets are told of with the targets that import them.
        if folder.is_dir() and not re.match(r"C[A-Z]", folder.name):
            checked += 2
            if f"`Sources/{folder.name}`" not in layout:
                bad.append(f"CONTRIBUTING.md: says nothing of Sources/{folder.name}")
            if f"| `{folder.name}` |" not in docs:
                bad.append(f"Wiretag.md: says nothing of {folder.name}")
    for line in bad:
        print(line)
    if not bad:
        print(f"{checked} links, files and options of the pages are there")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
