import Synchronization

/// A block of memory that tensors share until someone writes.
package final class Storage: @unchecked Sendable {
  /// The block, whatever is in it.
  let memory: UnsafeMutableRawPointer
  package let byteCount: Int
  package let device: Device
  /// Gives the memory back; nil for blocks of the caching allocator.
  private let deallocate: ((UnsafeMutableRawPointer) -> Void)?
  /// Whether others may read and write the memory without asking, as NumPy does with an array that it has lent: tensors never write to it
  /// and never put off reading it.
  let isBorrowed: Bool
  private let isWaiting = Atomic<Bool>(false)
  /// The op whose result is to be in here and isn't yet. Read and written under `DeferredOp`'s lock.
  var deferred: DeferredOp? { didSet { isWaiting.store(deferred != nil, ordering: .releasing) } }
  /// What convolutions have made of the numbers in here. Whoever is about to write forgets it.
  var preparedWeights: PreparedWeights? {
    get { Self.preparation.withLock { _ in prepared } }
    set { Self.preparation.withLock { _ in prepared = newValue } }
  }
  private var prepared: PreparedWeights?
  private static let preparation = Locked(())

  /// Whether the memory is the allocator's, so that nobody outside can write to it.
  var isOwn: Bool { deallocate == nil }

  /// To be called before numbers change, by the only one who holds the storage.
  func forgetPrepared() {
    if prepared != nil { prepared = nil }
  }

  /// The block with its numbers, which are computed where they have been waiting for somebody to look at them.
  @inline(__always)
  package var pointer: UnsafeMutableRawPointer {
    if isWaiting.load(ordering: .acquiring) { DeferredOp.settle(self) }
    return memory
  }

  /// Whether the numbers are there, rather than noted down as ops.
  package var isComputed: Bool { !isWaiting.load(ordering: .acquiring) }

  init(allocated pointer: UnsafeMutableRawPointer, byteCount: Int) {
    memory = pointer
    self.byteCount = byteCount
    device = .cpu
    deallocate = nil
    isBorrowed = false
  }

  /// Memory that somebody else made: a mapped file, another framework's array.
  package init(
    external pointer: UnsafeMutableRawPointer, byteCount: Int, isBorrowed: Bool = false,
    deallocate: @escaping (UnsafeMutableRawPointer) -> Void
  ) {
    memory = pointer
    self.byteCount = byteCount
    device = .cpu
    self.isBorrowed = isBorrowed
    self.deallocate = deallocate
  }

  deinit {
    if let deallocate {
      deallocate(memory)
    } else {
      Allocator.shared.release(memory, byteCount)
    }
  }

  /// Fresh memory with arbitrary content; nil (and an error reported for `operation`) where there is none.
  package static func allocate(_ byteCount: Int, for operation: @autoclosure () -> String) -> Storage? {
    Profiler.current?.noteBlock(byteCount)
    if let pointer = Allocator.shared.allocate(byteCount) { return Storage(allocated: pointer, byteCount: byteCount) }
    let statistics = Allocator.shared.statistics
    var text = "cannot get \(byteCount) bytes; \(statistics.inUse) are in use, peak \(statistics.peak)"
    if let limit = Memory.limit { text += ", limit \(limit)" }
    fail(TensorError(.outOfMemory, operation(), text))
    return nil
  }
}
