#!/usr/bin/env python3
"""Compiles every Python program of the project in memory: a syntax error is found before the day it is needed."""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def is_python(file: pathlib.Path) -> bool:
    if file.suffix == ".py":
        return True
    with file.open("rb") as stream:
        line = stream.readline(100)
    return line.startswith(b"#!") and b"python" in line


def main() -> int:
    checked = bad = 0
    for folder in ("tools", ".ci"):
        for file in sorted((ROOT / folder).rglob("*")):
            if not file.is_file() or ".build" in file.parts or not is_python(file):
                continue
            checked += 1
            try:
                ast.parse(file.read_bytes(), str(file))
            except SyntaxError as error:
                bad += 1
                print(f"{file.relative_to(ROOT)}:{error.lineno}: {error.msg}")
    if not bad:
        print(f"{checked} Python programs parse")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
