/// Where a tensor's elements live and where its ops run: a value on the tensor, never an argument of an op.
public struct Device: Hashable, Sendable, CustomStringConvertible {
  /// The kinds of devices that this build has a backend for.
  public enum Kind: String, CaseIterable, Sendable { case cpu }

  public let kind: Kind
  public let index: Int

  public static let cpu = Device(kind: .cpu, index: 0)

  init(kind: Kind, index: Int) {
    self.kind = kind
    self.index = index
  }

  /// The device called `name` (`cpu`).
  ///
  /// - Throws: `TensorError` of kind `device` where this build has no such device.
  public init(named name: String) throws(TensorError) {
    guard let kind = Kind(rawValue: name) else {
      throw TensorError(
        .device, "device", "'\(name)' is not available; this build has: \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.init(kind: kind, index: 0)
  }

  public var description: String { kind.rawValue }

  package var backend: any Backend {
    let backend: any Backend =
      switch kind {
      case .cpu: CPUBackend.shared
      }
    if let recorder = Profiler.current { return ProfilingBackend(base: backend, recorder: recorder) }
    return backend
  }
}
