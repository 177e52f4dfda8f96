// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .strictMemorySafety(), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Courier",
  products: [
    .executable(name: "courier", targets: ["courier"]),
    .library(name: "CourierProtocol", targets: ["CourierProtocol"]),
    .library(name: "CourierPayloads", targets: ["CourierPayloads"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CourierProtocol", swiftSettings: settings),
    .target(
      name: "CourierPayloads",
      dependencies: ["CourierProtocol", "CZlib", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .executableTarget(
      name: "courier",
      dependencies: [
        "CourierProtocol", "CourierPayloads",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(name: "CourierProtocolTests", dependencies: ["CourierProtocol"], swiftSettings: settings),
    .testTarget(
      name: "CourierPayloadsTests", dependencies: ["CourierPayloads", "CourierProtocol"],
      resources: [.copy("sizes.tsv")], swiftSettings: settings),
    .testTarget(name: "CourierEndpointTests", dependencies: ["courier"], swiftSettings: settings),
  ]
)
