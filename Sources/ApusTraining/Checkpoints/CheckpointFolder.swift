import ApusFormats

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The checkpoints of one run: the last few, `step-00001200.safetensors`, and `best.safetensors`.
///
/// At any moment, whatever is killed or full, the newest file or the one before it can be read: a new one appears whole, and the oldest
/// goes only then.
public final class CheckpointFolder {
  /// The folder.
  public let path: String
  /// So many are kept beside the best one.
  public let keep: Int
  /// The newest one that this object has written or read.
  public private(set) var lastGood: String?
  /// Whether what lies there is of this run.
  private var isOurs = false
  private var hasSwept = false

  /// - Parameters:
  ///   - path: the folder, which is made when it is needed.
  ///   - keep: how many are kept, 1 or more.
  public init(_ path: String, keep: Int = 3) { (self.path, self.keep) = (path, max(keep, 1)) }

  /// The checkpoint of the epoch that came nearest to the goal.
  public var best: String { path + "/best.safetensors" }

  /// The checkpoints there are, newest first, the best one left out.
  public var files: [String] { steps.sorted(by: >).map(file) }

  /// Reads the newest checkpoint; where that is damaged the one before it, and so on.
  ///
  /// - Parameter onDamage: is told of each that could not be read.
  /// - Returns: nil where there is none.
  /// - Throws: the error of the newest where every one is damaged.
  public func newest(onDamage: (any Error) -> Void = { _ in }) throws -> Checkpoint? {
    var first: (any Error)?
    for file in files {
      do {
        let checkpoint = try Checkpoint(file)
        (lastGood, isOurs) = (file, true)
        return checkpoint
      } catch let error where error is FormatError || error is FileError {
        onDamage(error)
        first = first ?? error
      }
    }
    if let first { throw first }
    return nil
  }

  /// Writes a checkpoint and removes those that are not needed any more.
  ///
  /// The first one takes the place of what an earlier run has left there, unless `newest` has read that: then of what lies beyond it.
  ///
  /// - Parameter isBest: whether it is the best so far.
  /// - Throws: `FileError`; then the files from before are untouched.
  public func save(_ checkpoint: Checkpoint, isBest: Bool = false) throws {
    // First the best one: a run that is killed here does this step again, and this file too.
    if isBest { try write(checkpoint, best) }
    let new = file(checkpoint.step)
    try write(checkpoint, new)
    if !isOurs, !isBest { unlink(best) }
    let past = steps.filter { $0 < checkpoint.step }.sorted(by: >)
    let kept = isOurs ? Set(past.prefix(keep - 1)) : []
    for step in steps where step != checkpoint.step && !kept.contains(step) { unlink(file(step)) }
    if !hasSwept { removeLeftovers() }
    (lastGood, isOurs, hasSwept) = (new, true, true)
  }

  private func write(_ checkpoint: Checkpoint, _ file: String) throws {
    try RunFolder(path).create()
    do {
      try checkpoint.write(to: file)
    } catch let error as FileError where error.isNotFound {
      // The folder was taken away meanwhile; hours of computing are worth a new one.
      try RunFolder(path).create()
      try checkpoint.write(to: file)
    }
  }

  private func file(_ step: Int) -> String {
    let digits = String(step)
    return "\(path)/step-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).safetensors"
  }

  private var steps: [Int] {
    names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst(5).dropLast(12))
    }
  }

  private var names: [String] { (try? Folder.names(in: path)) ?? [] }

  /// Removes what processes that were killed have left half-written.
  private func removeLeftovers() {
    for name in names where name.hasPrefix(".step-") || name.hasPrefix(".best.") {
      guard name.hasSuffix(".tmp"), let process = pid_t(name.dropLast(4).split(separator: ".").last?.prefix { $0 != "-" } ?? "")
      else { continue }
      if process != getpid(), kill(process, 0) != 0, errno == ESRCH { unlink("\(path)/\(name)") }
    }
  }
}
