#!/usr/bin/env python3
"""Compares each target's imports with what Package.swift declares for it, and with the design's own rules.

SwiftPM lets a target import whatever another target brought into the build; this does not.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*"
    r"(?:(?:public|package|internal|private|fileprivate)[ \t]+)?import[ \t]+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
    re.M,
)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"""(?:.|\n)*?"""|"(?:\\.|[^"\\\n])*"', re.S)

# module -> the only targets of Sources/ that may import it
ONLY = {
    "CPcap": {"Capture"},
    "CZlib": {"Capture"},
    "CZstd": {"Capture"},
    "CCatalogue": {"Classify", "Courier", "Separability", "Censor"},
    "COpenSSL": {"QUICKeys"},
    "Crypto": {"Digest", "TLSDecryption"},
    "CryptoExtras": {"TLSDecryption"},
}
# target -> modules it never imports, whatever its manifest entry says
NEVER = {
    "Bytes": {"Foundation", "FoundationEssentials"},
    "Decode": {"Capture"},
    "Flows": {"Capture"},
    "Protocols": {"Capture"},
    # What decryption says reaches no verdict.
    "Classify": {"Capture", "TLSDecryption", "Courier", "Truth"},
    "Engine": {"TLSDecryption", "Courier", "Truth"},
}
# target -> words its code never uses: Classify works on values and never sees bytes
NEVER_USES = {"Classify": {"RawSpan", "MutableRawSpan", "ByteReader", "UnsafeRawBufferPointer", "UnsafeRawPointer"}}


def main() -> int:
    described = subprocess.run(
        ["swift", "package", "describe", "--type", "json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    package = json.loads(described[described.index("{") :])
    targets = {t["name"]: t for t in package["targets"]}
    products = {p for t in package["targets"] for p in t.get("product_dependencies") or []}
    known = set(targets) | products

    bad = []
    files = 0
    for target in package["targets"]:
        name = target["name"]
        if target["type"] == "system-target":
            continue
        allowed = {name, *(target.get("target_dependencies") or []), *(target.get("product_dependencies") or [])}
        for file in sorted((ROOT / target["path"]).rglob("*.swift")):
            files += 1
            text = file.read_text(encoding="utf-8")
            code = COMMENT_OR_STRING.sub(" ", text)
            where = file.relative_to(ROOT)
            for module in sorted(set(IMPORT.findall(code))):
                if module in known and module not in allowed:
                    bad.append(f"{where}: imports {module}, which Package.swift does not declare for {name}")
                if module in ONLY and target["type"] != "test" and name not in ONLY[module]:
                    bad.append(f"{where}: imports {module}; only {', '.join(sorted(ONLY[module]))} may")
                if module in NEVER.get(name, ()):
                    bad.append(f"{where}: {name} never imports {module}")
            for word in sorted(NEVER_USES.get(name, ())):
                if re.search(rf"\b{word}\b", code):
                    bad.append(f"{where}: {name} never sees bytes, and this uses {word}")
    for line in bad:
        print(line)
    if not bad:
        print(f"{files} files of {len(targets)} targets import what they may")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
