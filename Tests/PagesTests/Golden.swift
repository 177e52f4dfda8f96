import TestSupport
import Testing

/// Compares text with a file of this folder's `Golden` that a person has read.
func expectGolden(
  _ text: String, _ name: String, beside source: String = #filePath, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  guard let difference = try differenceFromGolden(text, name, beside: source) else { return }
  Issue.record("\(difference)", sourceLocation: sourceLocation)
}
