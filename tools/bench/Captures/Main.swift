import Foundation

/// Writes the benchmark's captures: the same arguments give the same bytes on every machine.
@main
enum Main {
  static func main() {
    do throws(Failure) {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      say("bench-captures: \(error.message)")
      exit(2)
    }
  }

  private static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  private static var usage: String {
    let lines = Profile.all.map { profile in
      "  \(profile.name.padding(toLength: 11, withPad: " ", startingAt: 0)) \(profile.shows): "
        + "\(profile.packets) packets, \(profile.flows) flows"
    }
    return """
      usage: bench-captures PROFILE FILE [--scale N] [--stretch N] [--packets N] [--flows N] [--seed N]

      profiles:
      \(lines.joined(separator: "\n"))

      FILE is a pcap with nanoseconds, or - for standard output. --scale multiplies packets and flows,
      --stretch the time that they take.
      example: bench-captures mix mix.pcap --packets 150000 --flows 25600
      """
  }

  private static func run(_ arguments: [String]) throws(Failure) {
    if arguments.contains("--help") || arguments.contains("-h") {
      print(usage)
      return
    }
    guard arguments.count >= 2, arguments.count % 2 == 0 else { throw Failure(message: usage) }
    guard let profile = Profile.all.first(where: { $0.name == arguments[0] }) else {
      throw Failure(
        message: "no profile '\(arguments[0])'; there are \(Profile.all.map(\.name).joined(separator: ", "))")
    }
    var numbers = ["--scale": 1, "--stretch": 1, "--packets": profile.packets, "--flows": profile.flows, "--seed": 1]
    for place in stride(from: 2, to: arguments.count, by: 2) {
      let option = arguments[place]
      guard numbers[option] != nil else { throw Failure(message: "unknown option \(option)") }
      guard let value = Int(arguments[place + 1]), (option == "--seed" ? 0 : 1)...(1 << 30) ~= value else {
        throw Failure(message: "\(option) wants a number")
      }
      numbers[option] = value
    }
    let scale = numbers["--scale"] ?? 1
    var stretched = profile
    stretched.seconds *= Double(numbers["--stretch"] ?? 1)
    let packets = (numbers["--packets"] ?? profile.packets) * scale
    let flows = (numbers["--flows"] ?? profile.flows) * scale
    let seed = UInt64(numbers["--seed"] ?? 1)

    var wire = Wire(try CaptureFile(path: arguments[1]), seed: seed)
    let kinds = try stretched.make(&wire, packets: packets, flows: flows, seed: seed)
    try wire.file.flush()
    let written = wire.file.packets
    guard written == packets else { throw Failure(message: "\(written) packets instead of \(packets)") }
    func share(_ part: Int) -> String { "\(Double(part * 1000 / max(1, written)) / 10) %" }
    say(
      "\(profile.name): \(written) packets, \(flows) flows, \(wire.file.frameBytes / max(1, written)) bytes a packet, "
        + "\(share(wire.file.packetsOfIPv6)) IPv6, \(share(wire.file.packetsOfVLAN)) VLAN; flows: "
        + kinds.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", "))
  }
}
