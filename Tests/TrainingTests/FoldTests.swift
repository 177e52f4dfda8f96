import Classify
import TestSupport
import Testing

@testable import Training

@Suite struct FoldTests {
  @Test(arguments: [2, 5, 10])
  func noFileIsInTwoFolds(_ count: Int) throws {
    let set = try TrainingSet(Made.flows(captures: 37), grouping: .file)
    let folds = try set.folds(count)
    var foldOfFile: [String: Int] = [:]
    for (flow, fold) in zip(set.flows, folds) {
      #expect(foldOfFile.updateValue(fold, forKey: flow.file) ?? fold == fold)
    }
    #expect(Set(folds) == Set(0..<count))
    // Every fold has something of the rare tag.
    for fold in 0..<count {
      #expect(zip(set.flows, folds).contains { $0.tag == .calling && $1 == fold })
    }
    #expect(try TrainingSet(Made.flows(captures: 37).reversed(), grouping: .file).folds(count).count == folds.count)
  }

  @Test func copiesOfACaptureStayTogether() throws {
    var flows = Made.flows(captures: 8)
    // Capture 3 is a part of capture 1, and capture 5 one of capture 3.
    for i in flows.indices where flows[i].file == "folder3/3.pcap" { flows[i].identity = "1 \(i % 5)" }
    for i in flows.indices where flows[i].file == "folder1/5.pcap" && i % 5 == 0 { flows[i].identity = "1 0" }
    let set = try TrainingSet(flows, grouping: .file)
    func group(_ file: String) -> Set<String> {
      Set(zip(set.flows, set.groups).filter { $0.0.file == file }.map(\.1))
    }
    #expect(group("folder1/1.pcap") == group("folder3/3.pcap"))
    #expect(group("folder1/1.pcap") == group("folder1/5.pcap"))
    #expect(set.groupNames.count == 6)
  }

  @Test func foldersAreHeldOutWhole() throws {
    let set = try TrainingSet(Made.flows(captures: 20), grouping: .folder)
    #expect(set.groupNames == ["folder0", "folder1", "folder2", "folder3"])
    #expect(Set(try set.folds(10)).count == 4)
    // What weighs how much does not depend on what is held out.
    #expect(set.weights == (try TrainingSet(Made.flows(captures: 20), grouping: .file)).weights)
  }

  @Test func manyFlowsOfACaptureWeighLittleMore() throws {
    let set = try TrainingSet(Made.flows(captures: 1), grouping: .file)
    let questions = zip(set.flows, set.weights).filter { $0.0.tag == .other }.map(\.1)
    #expect(questions == [0.5, 0.5, 0.5, 0.5])
    #expect(throws: TrainingError.self) { try set.folds(10) }
    #expect(throws: TrainingError.self) { try TrainingSet([], grouping: .file) }
  }
}
