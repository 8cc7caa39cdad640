/// A file that is damaged, or not what it says it is: which file, where in it, and why.
public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rules that a file can break, one name each.
  public enum Kind: String, Sendable, CaseIterable {
    /// The file ends before something that it promises.
    case truncated
    /// The header is longer than the limit of its format.
    case headerTooLong
    /// The header doesn't begin as the format demands.
    case notThisFormat
    /// Text that breaks the grammar of the header.
    case syntax
    /// Bytes that aren't UTF-8.
    case encoding
    /// Values nested deeper than the limit.
    case tooDeep
    /// A number that is negative, fractional or too large.
    case number
    /// A value of another kind than the field takes.
    case type
    case duplicateKey
    case missingField
    case nameTooLong
    /// A dtype that the format doesn't know.
    case unknownDType
    /// A dtype of the format that no Apus tensor can have.
    case unsupportedDType
    case rankTooLarge
    /// A shape whose size in bytes overflows.
    case sizeOverflow
    /// A shape that needs another number of bytes than the file gives it.
    case sizeMismatch
    /// Data that overlaps, has a hole, or ends before or after the file.
    case offsets
    /// An element with a bit pattern that its dtype doesn't have.
    case value
    /// Content that differs from the digest stored with it.
    case digest
    /// A tensor that isn't in the file.
    case missingTensor
    /// Content that differs from the CRC-32 stored with it.
    case checksum
    /// An entry of an archive that needs a password.
    case encrypted
    /// An entry of an archive packed in a way that its format doesn't use.
    case compression
    /// An entry of an archive with a name that points out of it.
    case path
    /// An archive with more entries than the limit.
    case tooManyEntries
    /// Packed or shared content that grows beyond the limit when it is unpacked.
    case tooLarge
    /// A pickle with an instruction that tensors don't need.
    case opcode
    /// A pickle that names something that isn't on the list of what tensors need.
    case global
    /// A pickle whose instructions don't fit together.
    case pickle
    /// A pickle that holds more values, or more at once, than the limit.
    case tooManyValues
    /// A variant of a format that Apus neither reads nor writes.
    case unsupported
  }

  /// Where in the file.
  public enum Place: Hashable, Sendable {
    case file
    case byte(Int)
    case key(String)
    /// In an entry of an archive: at a byte of its content, or as a whole.
    case entry(String, byte: Int? = nil)
  }

  public let kind: Kind
  public let file: String
  public let place: Place
  public let reason: String

  public init(_ kind: Kind, file: String, at place: Place, _ reason: String) {
    self.kind = kind
    self.file = file
    self.place = place
    self.reason = reason
  }

  public var description: String {
    switch place {
    case .file: "\(printable(file)): \(reason)"
    case .byte(let offset): "\(printable(file)): byte \(offset): \(reason)"
    case .key(let name): "\(printable(file)): '\(printable(name, limit: 120))': \(reason)"
    case .entry(let name, nil): "\(printable(file)): \(printable(name, limit: 120)): \(reason)"
    case .entry(let name, let offset?): "\(printable(file)): \(printable(name, limit: 120)), byte \(offset): \(reason)"
    }
  }
}
