import ApusFormats
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file of TensorBoard's events: TFRecord frames, each of a length and an event with masked checksums.
struct EventFile {
  private let file: LogFile

  /// Starts a file in `folder`, which must exist.
  ///
  /// - Parameters:
  ///   - folder: where; each run has one of its own.
  ///   - time: seconds since 1970, for the name and the first event.
  ///   - onFailure: called once, when an event cannot be written.
  init(in folder: String, at time: Double, onFailure: @escaping (FileError) -> Void) throws(FileError) {
    // TensorBoard reads the files of a folder in the order of their names; a second process in the same second gets its own.
    let number = Self.files.add(1, ordering: .relaxed).oldValue
    let name = "\(Self.prefix)\(Self.tenDigits(time)).\(Self.host).\(getpid()).\(number)"
    file = try LogFile("\(folder)/\(name)", onFailure: onFailure)
    append(time: time, step: 0) { $0.string(Field.fileVersion, "brain.Event:2") }
  }

  /// Of the message `Event`.
  enum Field {
    static let wallTime = 1
    static let step = 2
    static let fileVersion = 3
    static let graph = 4
    static let summary = 5
    static let session = 7
  }

  /// Adds one event.
  func append(time: Double, step: Int, _ build: (inout ProtobufMessage) -> Void) {
    var event = ProtobufMessage()
    event.double(Field.wallTime, time)
    if step != 0 { event.integer(Field.step, step) }
    build(&event)
    file.append(Self.frame(event.bytes))
  }

  /// Length, its checksum, data, its checksum; all numbers little-endian.
  static func frame(_ data: [UInt8]) -> [UInt8] {
    func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
    let length = bytes(UInt64(data.count))
    return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
  }

  private static func tenDigits(_ time: Double) -> String {
    let seconds = "\(Int(min(max(time, 0), 9_999_999_999)))"
    return String(repeating: "0", count: 10 - seconds.count) + seconds
  }

  /// What TensorBoard looks for in a name.
  static let prefix = "events.out.tfevents."
  private static let files = Atomic(0)

  /// The machine's name, as far as it can stand in that of a file.
  private static var host: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let name = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let isPlain = { (byte: UInt8) in
      Character(UnicodeScalar(byte)).isLetter || (48...57).contains(byte) || byte == 45 || byte == 46
    }
    return String(decoding: name.map { $0 < 128 && isPlain($0) ? $0 : 95 }, as: UTF8.self)
  }
}
