#!/usr/bin/env python3
"""Checks that the pages speak of what is there: links, files of the tools, targets, the program's options, and figures.

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
CALL = re.compile(r"(?:^|[\s`|])(?:tools/)?wiretag ((?:read|live|explain|interfaces|services|regress|train|separability|censor|courier)\b[^`\n|>#]*)")
# Quoted in the pages as a place that a run makes.
MADE = {"tools/bench/.build-bench"}
# Figures of README.md: the file they come from, how it says them, how the page says them.
FIGURES = [
    ("Sources/Engine/AnalyzerEvents.swift", "maximumFlows = 1_000_000", "1,000,000"),
    ("Sources/Engine/FlowStage.swift", "maximumReadings = 32_768", "| 32,768 |"),
    ("Sources/Engine/FlowStage.swift", "maximumHeldBytes = 32 << 20", "| 32 MiB |"),
    ("Sources/Flows/StreamReassembler.swift", "maximumHeldBytes = 128 * 1024", "| 128 KiB |"),
    ("Sources/Decode/Network/FragmentTable.swift", "datagrams = 4096", "4,096 datagrams"),
    ("Sources/Decode/Network/FragmentTable.swift", "bytes = 4 << 20", "4 MiB"),
    ("Sources/Protocols/DNS/NameCache.swift", "defaultCapacity = 1 << 16", "| 65,536 |"),
    ("Sources/Engine/Conversations/ConversationTable.swift", "maximumConversations = 65_536",
     "conversations that go on at a time | 65,536 |"),
    ("Sources/Engine/Conversations/ConversationTable.swift", "maximumKeys = 262_144, maximumKeysOfOne = 256",
     "| 262,144, and 256 of one |"),
    ("Sources/Engine/Conversations/ConversationTable.swift", "maximumMembers = 256",
     "flows of a conversation that go on at a time | 256 |"),
    ("Sources/Engine/Conversations/Conversation.swift", "maximumFlows = 256", "and which (up to 256)"),
    ("Sources/Engine/QUICPaths.swift", "maximumConnections = 16_384", "| 16,384 |"),
    ("Sources/Decode/ProcessTable.swift", "capacity: Int { 4096 }", "program names that a capture gives | 4,096 |"),
    ("Sources/Engine/FlowStage.swift", "maximumProbedPackets: UInt64 = 12", "something that can be read | 12 |"),
    ("Sources/Engine/FlowStage.swift", "mediaWatch: UInt8 = 32", "| 32 packets |"),
    ("Sources/Engine/FlowEvent+Record.swift", "leastShapedPackets = 6", "flows of six and more packets"),
    ("Sources/Engine/VerdictStage.swift", "clearShape = 0.75", "below a probability of 0.75"),
    ("Sources/Classify/Resources/services.yaml", "bits: {most: 5, unless: 3}", "never more than 5 bits"),
    ("Sources/Classify/Resources/shape.yaml", "clear: 0.5\n", "says a tag from 0.5"),
    ("Sources/Protocols/DatagramParser.swift", "maximumDatagrams = 10\n", "| 10 datagrams |"),
    ("Sources/Protocols/DatagramParser.swift", "maximumUndecidedDatagrams = 48", "| 48 datagrams |"),
    ("Sources/Protocols/DatagramParser.swift", "maximumDatagramsWithoutNews = 64", "| 64 datagrams |"),
    ("Sources/Protocols/DatagramParser.swift", "maximumSignallingDatagrams = 4096", "| 4,096 datagrams of a flow |"),
    ("Sources/Protocols/TLS/HandshakeAssembler.swift", "maximumMessageLength = 1 << 16", "| 64 KiB |"),
    ("Sources/Truth/LabelledTraffic.swift", "maximumRecords = 8_000_000", "8,000,000"),
    ("Sources/Censor/Sight/Trace.swift", "maximumPackets = 40_000_000", "40,000,000"),
    ("Sources/Regress/Field.swift", "defaultTolerance = 0.02", "by 0.02"),
    ("Sources/Regress/Field.swift", "maximumFlows = 100_000", "100,000 flows"),
    ("Sources/Regress/Field.swift", "maximumFileSize = 32 << 20", "32 MiB"),
    ("Sources/Regress/CaptureResult.swift", "shownDifferences = 20", "20 differences of a capture"),
    ("Sources/Flows/FlowTimeouts.swift", "tcpEstablished: Int64 = 3600", "3,600 s (TCP)"),
    ("Sources/Flows/FlowTimeouts.swift", "tcpClosed: Int64 = 10", "10 s (closed TCP)"),
    ("Sources/Flows/FlowTimeouts.swift", "udpEstablished: Int64 = 180", "180 s (UDP;"),
    ("Sources/Flows/FlowTimeouts.swift", "nameService: Int64 = 20", "20 s to port 53"),
    ("Sources/Flows/FlowTimeouts.swift", "udpNew: Int64 = 60", "60 s (nothing came back)"),
]


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
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for file, code, words in FIGURES:
        checked += 1
        if code not in (ROOT / file).read_text(encoding="utf-8") or words not in readme:
            bad.append(f"README.md says '{words}' where {file} had '{code}': change the page, and this check")
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
        print(f"{checked} links, files, options and figures of the pages are there")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
