/// A block of memory that tensors share until someone writes.
package final class Storage: @unchecked Sendable {
  package let pointer: UnsafeMutableRawPointer
  package let byteCount: Int
  package let device: Device
  /// Gives the memory back; nil for blocks of the caching allocator.
  private let deallocate: ((UnsafeMutableRawPointer) -> Void)?

  init(allocated pointer: UnsafeMutableRawPointer, byteCount: Int) {
    self.pointer = pointer
    self.byteCount = byteCount
    device = .cpu
    deallocate = nil
  }

  /// Memory that somebody else made: a mapped file, another framework's array.
  package init(external pointer: UnsafeMutableRawPointer, byteCount: Int, deallocate: @escaping (UnsafeMutableRawPointer) -> Void)
  {
    self.pointer = pointer
    self.byteCount = byteCount
    device = .cpu
    self.deallocate = deallocate
  }

  deinit {
    if let deallocate {
      deallocate(pointer)
    } else {
      Allocator.shared.release(pointer, byteCount)
    }
  }

  /// Fresh memory with arbitrary content; nil (and an error reported for `operation`) where there is none.
  package static func allocate(_ byteCount: Int, for operation: @autoclosure () -> String) -> Storage? {
    if let pointer = Allocator.shared.allocate(byteCount) { return Storage(allocated: pointer, byteCount: byteCount) }
    let statistics = Allocator.shared.statistics
    var text = "cannot get \(byteCount) bytes; \(statistics.inUse) are in use, peak \(statistics.peak)"
    if let limit = Memory.limit { text += ", limit \(limit)" }
    fail(TensorError(.outOfMemory, operation(), text))
    return nil
  }
}
