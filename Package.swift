// swift-tools-version: 6.2
import Foundation
import PackageDescription

// tools/test sets it. A flag for the whole build would also hit the dependencies.
let strictness: [SwiftSetting] =
  ProcessInfo.processInfo.environment["WIRETAG_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]
let settings: [SwiftSetting] =
  [
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + strictness

func library(
  _ name: String, _ needs: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .target(name: name, dependencies: needs, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ needs: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + needs, exclude: exclude,
    swiftSettings: settings)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// The order is the way of a packet; a target lists every module of ours that it may import.
var targets: [Target] = [
  .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"]), .brew(["libpcap"])]),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
  .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
  library("Bytes"),
  library("Digest", [crypto]),
  library("Capture", ["CPcap", "CZlib", "CZstd"]),
  library("Decode", ["Bytes"]),
  library("Flows", ["Bytes", "Decode"]),
  library("QUICKeys", ["COpenSSL", "Bytes"]),
  library("Protocols", ["Bytes", "Digest", "QUICKeys", asn1]),
  .target(name: "CCatalogue"),
  library("Classify", ["CCatalogue", "Bytes", "Flows", "Protocols", yams], exclude: ["Resources"]),
  library("Report", ["Bytes", "Digest", "Decode", "Flows", "Protocols", "Classify"]),
  library("Engine", ["Bytes", "Capture", "Decode", "Flows", "Protocols", "Classify", "Report"]),
  library("TLSDecryption", ["Bytes", "Protocols", crypto, cryptoExtras]),
  library("Courier", ["CCatalogue", "Bytes", "Digest", "Protocols"], exclude: ["Resources"]),
  library(
    "Truth",
    [
      "Bytes", "Capture", "Decode", "Flows", "Protocols", "Classify", "Report", "Engine", "TLSDecryption", "Courier",
    ]),
  library("Statistics"),
  library("Pages"),
  library(
    "Separability", ["CCatalogue", "Bytes", "Classify", "Decode", "Report", "Truth", "Statistics", "Pages"],
    exclude: ["Resources"]),
  library(
    "Censor",
    [
      "CCatalogue", "Bytes", "Capture", "Decode", "Flows", "QUICKeys", "Protocols", "Classify", "Report", "Engine",
      "Truth", "Statistics", "Separability", "Pages", yams,
    ],
    exclude: ["Resources"]),
  library("Training", ["Bytes", "Flows", "Classify"]),
  library("Regress", ["Bytes", "Capture", "Decode", "Flows", "Protocols", "Classify", "Report", "Engine", yams]),
  .executableTarget(
    name: "wiretag",
    dependencies: [
      "Engine", "Training", "Regress", "Truth", "Separability", "Censor", "Report", "Capture", "Classify", "Decode",
      "Bytes",
      arguments,
    ],
    swiftSettings: settings),
  .target(name: "TestSupport", dependencies: ["Bytes"], path: "Tests/TestSupport", swiftSettings: settings),
  tests("Bytes"),
  tests("Capture", ["CPcap"]),
  tests("Decode", ["Bytes"]),
  tests("Flows", ["Bytes", "Decode"]),
  tests("QUICKeys", ["Bytes"]),
  tests("Courier", ["Bytes", "Digest", "Protocols"]),
  tests("TLSDecryption", ["Bytes", "Capture", "Decode", "Flows", "Protocols"]),
  tests("Truth", ["Bytes", "Capture", "Classify", "Courier", "Decode", "Engine", "Protocols", "Report"]),
  tests("Pages", exclude: ["Golden"]),
  tests("Separability", ["Bytes", "Decode", "Truth", "Statistics", "Pages"]),
  tests("Statistics", exclude: ["Golden"]),
  tests(
    "Censor",
    [
      "Bytes", "Capture", "Decode", "Flows", "QUICKeys", "Protocols", "Classify", "Report", "Engine", "Truth",
      "Separability", "Pages",
    ],
    exclude: ["Golden"]),
  tests("Protocols", ["Bytes", "Digest", "QUICKeys"]),
  tests("Classify", ["Bytes", "Flows", "Protocols"]),
  tests("Training", ["Bytes", "Flows", "Classify"]),
  tests("Report", ["Bytes", "Decode", "Flows", "Protocols", "Classify"], exclude: ["Golden"]),
  .testTarget(name: "CommandLineTests", dependencies: ["wiretag", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "CorpusTests",
    dependencies: [
      "Engine", "Bytes", "Capture", "Decode", "Classify", "Protocols", "Report", "TestSupport",
    ],
    swiftSettings: settings),
  tests("Engine", ["Bytes", "Capture", "Decode", "Flows", "Protocols", "Classify", "Report"]),
  tests("Regress", ["Bytes", "Capture", "Classify", "Engine", "Report"], exclude: ["Golden"]),
  .testTarget(
    name: "GoldenTests", dependencies: ["Capture", "Classify", "Decode", "Engine", "Protocols", "Regress", "Report"],
    swiftSettings: settings),
]

// FUZZ=1 swift build -c release --sanitize fuzzer --product FuzzDecode --scratch-path .build-fuzz
if ProcessInfo.processInfo.environment["FUZZ"] != nil {
  let entries: [(String, [Target.Dependency])] = [
    ("CaptureFile", ["Capture"]), ("Decode", ["Decode"]), ("TLS", ["Protocols"]), ("DNS", ["Protocols"]),
    ("Streams", ["Decode", "Flows", "Protocols"]), ("QUIC", ["Protocols", "QUICKeys"]), ("DTLS", ["Protocols"]),
    ("STUN", ["Protocols"]), ("RTP", ["Protocols"]), ("Signalling", ["Protocols"]), ("Messengers", ["Protocols"]),
    ("Courier", ["Courier", "Protocols"]), ("Decryption", ["Protocols", "TLSDecryption"]),
    ("Verdict", ["Engine", "Capture", "Classify", "Report"]),
    ("Censor", ["Censor", "Engine", "Classify", "Report"]),
  ]
  targets += entries.map { name, needs in
    .executableTarget(
      name: "Fuzz\(name)", dependencies: ["Bytes"] + needs, path: "Tests/Fuzz/Fuzz\(name)", swiftSettings: settings)
  }
}

// BENCH=1 swift build -c release --product bench-captures
if ProcessInfo.processInfo.environment["BENCH"] != nil {
  targets.append(
    .executableTarget(
      name: "bench-captures", dependencies: ["Bytes", "QUICKeys"], path: "tools/bench/Captures",
      swiftSettings: settings))
}

let package = Package(
  name: "wiretag",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "wiretag", targets: ["wiretag"]),
    .library(name: "Wiretag", targets: ["Engine", "Capture", "Classify", "Protocols", "Flows", "Report"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6]
)
